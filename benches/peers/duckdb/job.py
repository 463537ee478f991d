"""DuckDB: one SQL plan a step, over all its threads. Its extension for H3 is on no package registry, so that cells come
from a function over Arrow arrays."""

import duckdb
import pyarrow as pa
from h3ronpy import cells_to_string
from h3ronpy.vector import coordinates_to_cells

from peer import DETECTIONS, MAPPING, OUT, PARALLELISM, Clock

PAYLOAD = """{"detectionId": "VARCHAR", "frameId": "VARCHAR", "trackId": "VARCHAR", "detector": "VARCHAR",
    "className": "VARCHAR", "confidence": "DOUBLE",
    "bbox": {"x": "DOUBLE", "y": "DOUBLE", "width": "DOUBLE", "height": "DOUBLE"},
    "location": {"lat": "DOUBLE", "lon": "DOUBLE"}, "detectedAt": "TIMESTAMP", "updatedAt": "TIMESTAMP"}"""


def header(name):
    return f"headers[nullif(list_position(headers, '{name}'), 0) + 1]"


# All that has a mapping; repeats are dropped after, by the row's number, which hashes less than whole rows do.
READ = f"""
create temp table mapping as from read_ndjson('{MAPPING}',
    columns = {{citylens_track_id: 'VARCHAR', axion_track_id: 'VARCHAR'}});
create temp table delivered as
select p.detectionId detection_id, p.frameId frame_id, axion_track_id track_id, citylens_track_id, org_id,
    p.detector, p.className class_name, p.confidence, p.bbox.x bbox_x, p.bbox.y bbox_y, p.bbox.width bbox_width,
    p.bbox.height bbox_height, p.location.lat, p.location.lon, epoch_ms(p.detectedAt) detected_at,
    epoch_ms(p.updatedAt) updated_at, request_id
from (
    select {header("request-id")} request_id, {header("org-id")} org_id, json_transform(payload, '{PAYLOAD}') p
    from read_ndjson('{DETECTIONS}', columns = {{headers: 'VARCHAR[]', payload: 'VARCHAR'}})
    where {header("env")} = 'prod'
) join mapping on p.trackId = citylens_track_id;
create temp table detections as
select delivered.* from delivered
semi join (select any_value(rowid) kept from delivered group by detection_id) on delivered.rowid = kept;
"""
WRITE = f"""
copy (
    select detection_id, frame_id, track_id, citylens_track_id, org_id, detector, class_name, confidence, bbox_x, bbox_y,
        bbox_width, bbox_height, lat, lon, h3_cell(lat, lon) h3, detected_at, updated_at, 'citylens' "source"
    from detections
) to '{OUT}/detections.ndjson' (format json);
copy (
    select request_id, 'detection' entity, detection_id entity_id, org_id, 'upsert' "action", 'citylens' "source",
        updated_at "at"
    from detections
) to '{OUT}/audit_log.ndjson' (format json);
"""


def h3_cell(lat, lon):
    cells = coordinates_to_cells(lat.combine_chunks(), lon.combine_chunks(), 2)
    return pa.array(cells_to_string(cells)).cast(pa.string())


with duckdb.connect(config={"threads": PARALLELISM, "preserve_insertion_order": False}) as db:
    db.create_function("h3_cell", h3_cell, ["DOUBLE", "DOUBLE"], "VARCHAR", type="arrow")
    clock = Clock()
    db.execute(READ + WRITE)
    clock.end("duckdb", duckdb.__version__)
    db.remove_function("h3_cell")
