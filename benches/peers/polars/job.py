"""Polars: one lazy plan on the streaming engine, over all its threads, with H3 from a plugin."""

import os

from peer import DETECTIONS, MAPPING, OUT, PARALLELISM, Clock

os.environ["POLARS_MAX_THREADS"] = str(PARALLELISM)  # read when polars is imported

import polars as pl
import polars_h3
from polars import Float64, List, String, Struct, col, lit

ENVELOPE = Struct({"headers": List(String), "payload": String})
PAYLOAD = Struct(
    {name: String for name in ("detectionId", "frameId", "trackId", "detector", "className", "detectedAt", "updatedAt")}
    | {
        "confidence": Float64,
        "bbox": Struct({name: Float64 for name in ("x", "y", "width", "height")}),
        "location": Struct({"lat": Float64, "lon": Float64}),
    }
)
HEADERS = 8  # more than the five that there are


def header(name):
    def at(i):
        return col("headers").list.get(i, null_on_oob=True)

    return pl.coalesce(pl.when(at(2 * i) == name).then(at(2 * i + 1)) for i in range(HEADERS))


def millis(name):
    return col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms").dt.epoch("ms")


# Lines decoded as JSON take half the time that `scan_ndjson` takes.
detections = (
    pl.scan_lines(DETECTIONS)
    .select(col("line").str.json_decode(ENVELOPE).struct.unnest())
    .filter(header("env") == "prod")
    .select(
        col("payload").str.json_decode(PAYLOAD).struct.unnest(),
        request_id=header("request-id"),
        org_id=header("org-id"),
    )
    .unique("detectionId", keep="any")
    .join(
        pl.scan_ndjson(MAPPING, schema={"citylens_track_id": String, "axion_track_id": String}),
        left_on="trackId",
        right_on="citylens_track_id",
    )
    .select(
        "request_id",
        detection_id="detectionId",
        frame_id="frameId",
        track_id="axion_track_id",
        citylens_track_id="trackId",
        org_id="org_id",
        detector="detector",
        class_name="className",
        confidence="confidence",
        bbox_x=col("bbox").struct.field("x"),
        bbox_y=col("bbox").struct.field("y"),
        bbox_width=col("bbox").struct.field("width"),
        bbox_height=col("bbox").struct.field("height"),
        lat=col("location").struct.field("lat"),
        lon=col("location").struct.field("lon"),
        h3=polars_h3.latlng_to_cell(
            col("location").struct.field("lat"), col("location").struct.field("lon"), 2, return_dtype=String
        ),
        detected_at=millis("detectedAt"),
        updated_at=millis("updatedAt"),
        source=lit("citylens"),
    )
)

clock = Clock()
detections = detections.collect(engine="streaming")
detections.lazy().drop("request_id").sink_ndjson(f"{OUT}/detections.ndjson", engine="streaming")
detections.lazy().select(
    "request_id",
    entity=lit("detection"),
    entity_id="detection_id",
    org_id="org_id",
    action=lit("upsert"),
    source="source",
    at="updated_at",
).sink_ndjson(f"{OUT}/audit_log.ndjson", engine="streaming")
clock.end("polars", pl.__version__)
