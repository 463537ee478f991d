// The job: Job DUMPS OUT PARALLELISM, in a cluster within this JVM.
package hexflow.peer;

import com.fasterxml.jackson.core.JsonParser;
import java.lang.management.ManagementFactory;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;

public final class Job {
    public static void main(String[] args) throws Exception {
        Path dumps = new Path(args[0]);
        Path out = new Path(args[1]);
        int parallelism = Integer.parseInt(args[2]);

        Configuration config = new Configuration();
        config.set(ExecutionOptions.RUNTIME_MODE, RuntimeExecutionMode.STREAMING);
        config.set(ExecutionOptions.BUFFER_TIMEOUT_ENABLED, false);
        config.set(PipelineOptions.OBJECT_REUSE, true);
        config.set(StateBackendOptions.STATE_BACKEND, "hashmap");
        config.set(TaskManagerOptions.MEMORY_SEGMENT_SIZE, MemorySize.parse("128kb"));
        var env = StreamExecutionEnvironment.createLocalEnvironment(parallelism, config);

        var detections = env.fromSource(
                FileSource.forBulkFileFormat(
                        new DetectionsFormat(), new Path(dumps, "axion.sense.citylens.detections.ndjson")).build(),
                WatermarkStrategy.noWatermarks(), "detections");
        var mapping = env.fromSource(
                FileSource.forRecordStreamFormat(
                        new TextLineInputFormat(), new Path(dumps, "mapping.ndjson")).build(),
                WatermarkStrategy.noWatermarks(), "mapping")
                .map(Job::mapping).returns(Types.TUPLE(Types.STRING, Types.STRING));

        var rows = detections.keyBy(Detection::citylensTrackId, Types.STRING)
                .connect(mapping.keyBy(row -> row.f0, Types.STRING))
                .process(new JoinOnce()).returns(Detection.class);
        rows.sinkTo(sink(out, "detections", NdjsonWriter::detection));
        rows.sinkTo(sink(out, "audit_log", NdjsonWriter::audit));
        env.execute();

        long ended = System.nanoTime();
        double seconds = (ended - DetectionsFormat.STARTED.get()) / 1e9;
        double uptime = (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3;
        System.out.printf(
                "{\"engine\":\"flink\",\"version\":\"%s\",\"parallelism\":%d,\"records\":%d,"
                        + "\"seconds\":%.3f,\"startup_seconds\":%.3f}%n",
                EnvironmentInformation.getVersion(), parallelism, DetectionsFormat.RECORDS.get(),
                seconds, uptime - seconds);
        System.exit(0);
    }

    private static Tuple2<String, String> mapping(String line) throws Exception {
        var row = new Tuple2<String, String>();
        try (JsonParser in = Envelope.JSON.createParser(line)) {
            in.nextToken();
            for (String name; (name = in.nextFieldName()) != null; ) {
                String value = in.nextTextValue();
                switch (name) {
                    case "citylens_track_id" -> row.f0 = value;
                    case "axion_track_id" -> row.f1 = value;
                    default -> in.skipChildren();
                }
            }
        }
        return row;
    }

    private static FileSink<Detection> sink(Path folder, String name, NdjsonWriter.Row fields) {
        return FileSink.forBulkFormat(folder, NdjsonWriter.of(fields))
                .withBucketAssigner(new BasePathBucketAssigner<>())
                .withOutputFileConfig(new OutputFileConfig(name, ".ndjson"))
                .build();
    }
}
