// Writes rows as JSON lines for Flink's FileSink.
package hexflow.peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.IOException;
import java.io.Serializable;
import org.apache.flink.api.common.serialization.BulkWriter;
import org.apache.flink.core.fs.FSDataOutputStream;

final class NdjsonWriter implements BulkWriter<Detection> {
    private static final JsonFactory JSON =
            new JsonFactoryBuilder().enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER).build();

    /** Writes the fields of one row. */
    interface Row extends Serializable {
        void write(Detection row, JsonGenerator out) throws IOException;
    }

    private final Row fields;
    private final JsonGenerator out;

    private NdjsonWriter(Row fields, FSDataOutputStream file) throws IOException {
        this.fields = fields;
        out = JSON.createGenerator(file);
        out.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
        out.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
    }

    static BulkWriter.Factory<Detection> of(Row fields) {
        return file -> new NdjsonWriter(fields, file);
    }

    @Override
    public void addElement(Detection row) throws IOException {
        out.writeStartObject();
        fields.write(row, out);
        out.writeEndObject();
    }

    @Override
    public void flush() throws IOException {
        out.flush();
    }

    @Override
    public void finish() throws IOException {
        out.writeRaw('\n');
        out.close();
    }

    static void detection(Detection row, JsonGenerator out) throws IOException {
        out.writeStringField("detection_id", row.detectionId);
        out.writeStringField("frame_id", row.frameId);
        out.writeStringField("track_id", row.trackId);
        out.writeStringField("citylens_track_id", row.citylensTrackId);
        out.writeStringField("org_id", row.orgId);
        out.writeStringField("detector", row.detector);
        out.writeStringField("class_name", row.className);
        out.writeNumberField("confidence", row.confidence);
        out.writeNumberField("bbox_x", row.x);
        out.writeNumberField("bbox_y", row.y);
        out.writeNumberField("bbox_width", row.width);
        out.writeNumberField("bbox_height", row.height);
        out.writeNumberField("lat", row.lat);
        out.writeNumberField("lon", row.lon);
        out.writeStringField("h3", Long.toHexString(row.cell));
        out.writeNumberField("detected_at", row.detectedAt);
        out.writeNumberField("updated_at", row.updatedAt);
        out.writeStringField("source", "citylens");
    }

    static void audit(Detection row, JsonGenerator out) throws IOException {
        out.writeStringField("request_id", row.requestId);
        out.writeStringField("entity", "detection");
        out.writeStringField("entity_id", row.detectionId);
        out.writeStringField("org_id", row.orgId);
        out.writeStringField("action", "upsert");
        out.writeStringField("source", "citylens");
        out.writeNumberField("at", row.updatedAt);
    }
}
