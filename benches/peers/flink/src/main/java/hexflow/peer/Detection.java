// One detection as it travels between Flink's tasks, with its own serializer: no reflection, no boxes.
package hexflow.peer;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.StringValue;
import org.apache.flink.types.Value;

public final class Detection implements Value {
    String requestId;
    String orgId;
    String detectionId;
    String frameId;
    String citylensTrackId;
    String detector;
    String className;
    double confidence;
    double x;
    double y;
    double width;
    double height;
    double lat;
    double lon;
    long detectedAt;
    long updatedAt;

    // Known only behind the join, so never sent.
    String trackId;
    long cell;

    public String citylensTrackId() {
        return citylensTrackId;
    }

    @Override
    public void write(DataOutputView out) throws IOException {
        StringValue.writeString(requestId, out);
        StringValue.writeString(orgId, out);
        StringValue.writeString(detectionId, out);
        StringValue.writeString(frameId, out);
        StringValue.writeString(citylensTrackId, out);
        StringValue.writeString(detector, out);
        StringValue.writeString(className, out);
        out.writeDouble(confidence);
        out.writeDouble(x);
        out.writeDouble(y);
        out.writeDouble(width);
        out.writeDouble(height);
        out.writeDouble(lat);
        out.writeDouble(lon);
        out.writeLong(detectedAt);
        out.writeLong(updatedAt);
    }

    @Override
    public void read(DataInputView in) throws IOException {
        requestId = StringValue.readString(in);
        orgId = StringValue.readString(in);
        detectionId = StringValue.readString(in);
        frameId = StringValue.readString(in);
        citylensTrackId = StringValue.readString(in);
        detector = StringValue.readString(in);
        className = StringValue.readString(in);
        confidence = in.readDouble();
        x = in.readDouble();
        y = in.readDouble();
        width = in.readDouble();
        height = in.readDouble();
        lat = in.readDouble();
        lon = in.readDouble();
        detectedAt = in.readLong();
        updatedAt = in.readLong();
    }
}
