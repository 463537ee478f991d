"""The work of a job whose functions are in Python, over batches: decodes, joins and formats. What is the engine's own is
reading, exchange, repeats and writing."""

import numpy as np
import orjson
from h3ronpy import cells_to_string
from h3ronpy.vector import coordinates_to_cells

from peer import MAPPING


def read_mapping():
    with open(MAPPING, "rb") as file:
        rows = map(orjson.loads, file)
        return {row["citylens_track_id"]: row["axion_track_id"] for row in rows}


def decode(line):
    """Headers and payload of a record, if it is wanted."""
    envelope = orjson.loads(line)
    flat = envelope["headers"]
    headers = dict(zip(flat[::2], flat[1::2]))
    return (headers, orjson.loads(envelope["payload"])) if headers["env"] == "prod" else None


def millis(times):
    return np.array([time[:-1] for time in times], dtype="datetime64[ms]").astype(np.int64).tolist()


def cells(payloads):
    count = len(payloads)
    lat = np.fromiter((payload["location"]["lat"] for payload in payloads), np.float64, count)
    lon = np.fromiter((payload["location"]["lon"] for payload in payloads), np.float64, count)
    return cells_to_string(coordinates_to_cells(lat, lon, 2)).to_pylist()


def format_rows(records):
    """For each record (headers, payload, axion track id) its id, its line of `detections` and its line of `audit_log`."""
    if not records:
        return []
    payloads = [payload for _, payload, _ in records]
    columns = zip(
        records,
        cells(payloads),
        millis(payload["detectedAt"] for payload in payloads),
        millis(payload["updatedAt"] for payload in payloads),
    )
    return [row(*record, cell, detected, updated) for record, cell, detected, updated in columns]


def row(headers, payload, track, cell, detected, updated):
    detection = payload["detectionId"]
    org = headers.get("org-id")
    bbox = payload["bbox"]
    location = payload["location"]
    return (
        detection,
        orjson.dumps(
            {
                "detection_id": detection,
                "frame_id": payload["frameId"],
                "track_id": track,
                "citylens_track_id": payload["trackId"],
                "org_id": org,
                "detector": payload["detector"],
                "class_name": payload["className"],
                "confidence": payload["confidence"],
                "bbox_x": bbox["x"],
                "bbox_y": bbox["y"],
                "bbox_width": bbox["width"],
                "bbox_height": bbox["height"],
                "lat": location["lat"],
                "lon": location["lon"],
                "h3": cell,
                "detected_at": detected,
                "updated_at": updated,
                "source": "citylens",
            }
        ),
        orjson.dumps(
            {
                "request_id": headers["request-id"],
                "entity": "detection",
                "entity_id": detection,
                "org_id": org,
                "action": "upsert",
                "source": "citylens",
                "at": updated,
            }
        ),
    )
