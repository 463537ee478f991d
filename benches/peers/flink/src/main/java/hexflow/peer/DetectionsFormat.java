// How Flink's FileSource reads the dump: in splits, each by one reader, that gives batches of parsed detections.
package hexflow.peer;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.ArrayResultIterator;
import org.apache.flink.connector.file.src.util.RecordAndPosition;
import org.apache.flink.core.fs.FSDataInputStream;

public final class DetectionsFormat implements BulkFormat<Detection, FileSourceSplit> {
    private static final int BATCH = 1024;

    /** When the first record was read, by the nano clock, and how many were: the cluster is in this JVM. */
    static final AtomicLong STARTED = new AtomicLong();
    static final AtomicLong RECORDS = new AtomicLong();

    @Override
    public BulkFormat.Reader<Detection> createReader(Configuration config, FileSourceSplit split) throws IOException {
        STARTED.compareAndSet(0, System.nanoTime());
        return new Reader(split);
    }

    @Override
    public BulkFormat.Reader<Detection> restoreReader(Configuration config, FileSourceSplit split) throws IOException {
        return createReader(config, split);
    }

    @Override
    public boolean isSplittable() {
        return true;
    }

    @Override
    public TypeInformation<Detection> getProducedType() {
        return TypeInformation.of(Detection.class);
    }

    private static final class Reader implements BulkFormat.Reader<Detection> {
        private final Lines lines;
        private long records;

        Reader(FileSourceSplit split) throws IOException {
            FSDataInputStream in = split.path().getFileSystem().open(split.path());
            lines = new Lines(in, split.offset(), split.offset() + split.length());
        }

        @Override
        public RecordIterator<Detection> readBatch() throws IOException {
            Detection[] rows = new Detection[BATCH];
            int filled = 0;
            while (filled < BATCH && lines.next()) {
                records++;
                Detection row = Envelope.read(lines.bytes(), lines.from(), lines.length());
                if (row != null) {
                    rows[filled++] = row;
                }
            }
            if (filled == 0) {
                return null;
            }
            ArrayResultIterator<Detection> batch = new ArrayResultIterator<>();
            batch.set(rows, filled, RecordAndPosition.NO_OFFSET, 0);
            return batch;
        }

        @Override
        public void close() throws IOException {
            RECORDS.addAndGet(records);
            lines.close();
        }
    }
}
