"""chDB, ClickHouse's engine in the process: one SQL plan a step, over all its threads."""

from os.path import abspath

import chdb
from chdb.session import Session

from peer import DETECTIONS, MAPPING, OUT, PARALLELISM, Clock

PAYLOAD = """Tuple(detectionId String, frameId String, trackId String, detector String, className String,
    confidence Float64, bbox Tuple(x Float64, y Float64, width Float64, height Float64),
    location Tuple(lat Float64, lon Float64), detectedAt String, updatedAt String)"""
SETTINGS = {
    "max_threads": PARALLELISM,
    "max_insert_threads": PARALLELISM,
    "max_parsing_threads": PARALLELISM,
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_escape_forward_slashes": 0,
}


def header(name):
    return f"headers[indexOf(headers, '{name}') + 1]"


def millis(time):
    return f"toUnixTimestamp64Milli(parseDateTime64BestEffort({time}, 3, 'UTC'))"


STEPS = [
    f"""create table mapping engine = Memory as
    select * from file('{abspath(MAPPING)}', JSONEachRow, 'citylens_track_id String, axion_track_id String')""",
    f"""create table detections engine = Memory as
    select p.detectionId as detection_id, p.frameId as frame_id, axion_track_id as track_id, citylens_track_id, org_id,
        p.detector as detector, p.className as class_name, p.confidence as confidence, p.bbox.x as bbox_x,
        p.bbox.y as bbox_y, p.bbox.width as bbox_width, p.bbox.height as bbox_height, p.location.lat as lat,
        p.location.lon as lon, {millis("p.detectedAt")} as detected_at, {millis("p.updatedAt")} as updated_at, request_id
    from (
        select {header("request-id")} as request_id, if(has(headers, 'org-id'), {header("org-id")}, null) as org_id,
            JSONExtract(payload, '{PAYLOAD}') as p
        from file('{abspath(DETECTIONS)}', JSONEachRow, 'headers Array(String), payload String')
        where {header("env")} = 'prod'
    ) as envelope
    inner join mapping on p.trackId = citylens_track_id
    limit 1 by detection_id""",
    f"""insert into function file('{abspath(OUT)}/detections.ndjson', JSONEachRow)
    select detection_id, frame_id, track_id, citylens_track_id, org_id, detector, class_name, confidence, bbox_x, bbox_y,
        bbox_width, bbox_height, lat, lon, h3ToString(geoToH3(lat, lon, 2)) as h3, detected_at, updated_at,
        'citylens' as source
    from detections""",
    f"""insert into function file('{abspath(OUT)}/audit_log.ndjson', JSONEachRow)
    select request_id, 'detection' as entity, detection_id as entity_id, org_id, 'upsert' as action, 'citylens' as source,
        updated_at as at
    from detections""",
]

session = Session()
for name, value in SETTINGS.items():
    session.query(f"set {name} = {value}")
clock = Clock()
for step in STEPS:
    session.query(step)
clock.end("chdb", f"{chdb.__version__} (ClickHouse {chdb.engine_version})")
