"""DuckDB: visits and rolling windows of movements, or detections once each and tumbling windows, a SQL plan a step."""

import os

import duckdb

from peer import DUMPS, OUT, PARALLELISM, Clock

WINDOW, SLIDE, GAP, TUMBLING = 60_000, 10_000, 60_000, 10_000


def read(topic, fields):
    """The messages of a topic, each with its place in the order of arrival."""
    return f"""
    create temp table messages as
    select unnest(json_transform(payload, '{fields}')), {{'ts': ts, 'partition': "partition", 'offset': "offset"}} arrived
    from read_ndjson('{DUMPS}/{topic}.ndjson',
        columns = {{ts: 'BIGINT', "partition": 'INTEGER', "offset": 'BIGINT', headers: 'VARCHAR[]', payload: 'VARCHAR'}})
    where headers[list_position(headers, 'env') + 1] = 'prod';"""


CAMERAS = f"""
{read("camera-detections", '{"geographical_location_oid": "BIGINT", "video_camera_oid": "BIGINT", '
      '"detection_oid": "BIGINT", "item_name": "VARCHAR", "timestamp_detected": "BIGINT"}')}
create temp table camera_detections as
select detection_oid, geographical_location_oid, geographical_location, video_camera_oid, item_name,
    timestamp_detected detected_at
from messages semi join (select arg_min(rowid, arrived) "first" from messages group by detection_oid) on messages.rowid = "first"
left join read_csv('{DUMPS}/locations.csv') using (geographical_location_oid);
copy camera_detections to '{OUT}/camera_detections.ndjson' (format json);
copy (
    select geographical_location_oid, item_name, detected_at - detected_at % {TUMBLING} window_start,
        {TUMBLING} window_ms, count(*) detections
    from camera_detections group by all
) to '{OUT}/camera_windows.ndjson' (format json);
"""

# Of readings of one instant the last to arrive counts; a visit is numbered by the pauses before it, and its type is that
# of its first reading.
SENSORS = f"""
{read("movements", '{"traveler_id": "VARCHAR", "traveler_type": "VARCHAR", "sensor_id": "BIGINT", '
      '"position": ["DOUBLE"], "timestamp": "TIMESTAMP"}')}
create temp table readings as
select sensor_id, traveler_id, epoch_ms("timestamp") "at", traveler_type, "position"[1] x, "position"[2] y
from messages semi join (
    select arg_max(rowid, arrived) "last" from messages group by sensor_id, traveler_id, "timestamp"
) on messages.rowid = "last";
create temp table steps as
select *, "at" - before > {GAP} is not false is_first,
    case when "at" - before <= {GAP} then sqrt((x - x0) ** 2 + (y - y0) ** 2) / (("at" - before) / 1000) end speed
from (
    select *, lag("at") over w before, lag(x) over w x0, lag(y) over w y0
    from readings window w as (partition by sensor_id, traveler_id order by "at")
);
create temp table visited as
select *, first_value(traveler_type) over (partition by sensor_id, traveler_id, visit order by "at") visit_type
from (select *, sum(is_first::int) over (partition by sensor_id, traveler_id order by "at") visit from steps);
create temp table sensor_travelers as
select sensor_id, traveler_id, min("at") entered_at, any_value(visit_type) traveler_type, max("at") left_at,
    min(speed) min_speed, max(speed) max_speed, avg(speed) avg_speed, count(speed) samples
from visited group by sensor_id, traveler_id, visit;
create temp table speeds as
select sensor_id, visit_type traveler_type, "at" - "at" % {SLIDE} + later window_end,
    min(speed) min_speed, max(speed) max_speed, avg(speed) avg_speed, count(speed) samples
from visited, range({SLIDE}, {WINDOW + SLIDE}, {SLIDE}) ends(later) where speed is not null group by all;
create temp table touched as
select sensor_id, traveler_type, window_end, count(distinct traveler_id) travelers
from (
    select sensor_id, traveler_type, traveler_id,
        unnest(range(entered_at - entered_at % {SLIDE} + {SLIDE}, left_at + {WINDOW} + 1, {SLIDE})) window_end
    from sensor_travelers
) group by all;
copy sensor_travelers to '{OUT}/sensor_travelers.ndjson' (format json);
copy (
    select sensor_id, traveler_type, window_end, {WINDOW} window_ms, min_speed, max_speed, avg_speed,
        coalesce(samples, 0) samples, travelers
    from touched left join speeds using (sensor_id, traveler_type, window_end)
) to '{OUT}/sensor_windows.ndjson' (format json);
"""

of_cameras = os.path.exists(f"{DUMPS}/camera-detections.ndjson")
with duckdb.connect(config={"threads": PARALLELISM, "preserve_insertion_order": False}) as db:
    clock = Clock()
    db.execute(CAMERAS if of_cameras else SENSORS)
    records = db.execute("select count(*) from messages").fetchone()[0]
    clock.end("duckdb", duckdb.__version__, records)
