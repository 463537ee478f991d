// Reads one line of a dump: Jackson's streaming parser over the envelope, then over the payload within.
package hexflow.peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;

final class Envelope {
    static final JsonFactory JSON = new JsonFactoryBuilder().enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER).build();

    /** The detection, or null when it is of another environment. */
    static Detection read(byte[] bytes, int from, int length) throws IOException {
        Detection row = new Detection();
        boolean wanted = false;
        try (JsonParser in = JSON.createParser(bytes, from, length)) {
            in.nextToken();
            for (String name; (name = in.nextFieldName()) != null; ) {
                JsonToken token = in.nextToken();
                switch (name) {
                    case "headers" -> wanted = headers(in, row);
                    case "payload" -> {
                        if (!wanted) {
                            return null;
                        }
                        in.getTextLength();
                        payload(in, row);
                        return row;
                    }
                    default -> {
                        if (token.isStructStart()) {
                            in.skipChildren();
                        }
                    }
                }
            }
        }
        return null;
    }

    private static boolean headers(JsonParser in, Detection row) throws IOException {
        boolean wanted = false;
        while (in.nextToken() != JsonToken.END_ARRAY) {
            String key = in.getText();
            in.nextToken();
            switch (key) {
                case "request-id" -> row.requestId = in.getText();
                case "org-id" -> row.orgId = in.getText();
                case "env" -> wanted = in.getText().equals("prod");
                default -> { }
            }
        }
        return wanted;
    }

    private static void payload(JsonParser envelope, Detection row) throws IOException {
        char[] text = envelope.getTextCharacters();
        try (JsonParser in = JSON.createParser(text, envelope.getTextOffset(), envelope.getTextLength())) {
            in.nextToken();
            for (String name; (name = in.nextFieldName()) != null; ) {
                JsonToken token = in.nextToken();
                switch (name) {
                    case "detectionId" -> row.detectionId = in.getText();
                    case "frameId" -> row.frameId = in.getText();
                    case "trackId" -> row.citylensTrackId = in.getText();
                    case "detector" -> row.detector = in.getText();
                    case "className" -> row.className = in.getText();
                    case "confidence" -> row.confidence = in.getDoubleValue();
                    case "bbox", "location" -> numbers(in, row);
                    case "detectedAt" -> row.detectedAt = millis(in.getText());
                    case "updatedAt" -> row.updatedAt = millis(in.getText());
                    default -> {
                        if (token.isStructStart()) {
                            in.skipChildren();
                        }
                    }
                }
            }
        }
    }

    private static void numbers(JsonParser in, Detection row) throws IOException {
        for (String name; (name = in.nextFieldName()) != null; ) {
            in.nextToken();
            switch (name) {
                case "x" -> row.x = in.getDoubleValue();
                case "y" -> row.y = in.getDoubleValue();
                case "width" -> row.width = in.getDoubleValue();
                case "height" -> row.height = in.getDoubleValue();
                case "lat" -> row.lat = in.getDoubleValue();
                case "lon" -> row.lon = in.getDoubleValue();
                default -> in.skipChildren();
            }
        }
    }

    /** Epoch milliseconds; the usual form, `2026-01-01T00:00:00.973Z`, without java.time's slow formatter. */
    static long millis(String at) {
        if (at.length() != 24 || at.charAt(23) != 'Z' || at.charAt(19) != '.') {
            return Instant.parse(at).toEpochMilli();
        }
        long day = LocalDate.of(number(at, 0, 4), number(at, 5, 7), number(at, 8, 10)).toEpochDay();
        long second = (day * 24 + number(at, 11, 13)) * 3600 + number(at, 14, 16) * 60 + number(at, 17, 19);
        return second * 1000 + number(at, 20, 23);
    }

    private static int number(String text, int from, int to) {
        int value = 0;
        for (int i = from; i < to; i++) {
            value = value * 10 + text.charAt(i) - '0';
        }
        return value;
    }

    private Envelope() { }
}
