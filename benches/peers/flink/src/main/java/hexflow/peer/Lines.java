// The lines that begin in one part of a file, in place in one large buffer.
package hexflow.peer;

import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;
import org.apache.flink.core.fs.FSDataInputStream;

final class Lines implements Closeable {
    private final FSDataInputStream in;
    private final long end;
    private byte[] buffer = new byte[1 << 18];
    private long position; // in the file, of buffer[0]
    private int filled;
    private int from;
    private int to; // where the line ends
    private int next; // where the one behind it begins

    Lines(FSDataInputStream in, long begin, long end) throws IOException {
        this.in = in;
        this.end = end;
        if (begin > 0) { // the line that covers the byte before belongs to the part before
            position = begin - 1;
            in.seek(position);
            find();
        }
    }

    boolean next() throws IOException {
        return position + next < end && find();
    }

    byte[] bytes() {
        return buffer;
    }

    int from() {
        return from;
    }

    int length() {
        return to - from;
    }

    private boolean find() throws IOException {
        from = next;
        for (int at = from; ; at++) {
            if (at == filled) {
                at -= from;
                if (!fill()) {
                    to = next = filled;
                    return to > from;
                }
            }
            if (buffer[at] == '\n') {
                to = at;
                next = at + 1;
                return true;
            }
        }
    }

    /** Moves the begun line to the buffer's front and reads on behind it. */
    private boolean fill() throws IOException {
        filled -= from;
        System.arraycopy(buffer, from, buffer, 0, filled);
        position += from;
        from = 0;
        if (filled == buffer.length) {
            buffer = Arrays.copyOf(buffer, 2 * filled);
        }
        int read = in.read(buffer, filled, buffer.length - filled);
        filled += Math.max(read, 0);
        return read > 0;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
