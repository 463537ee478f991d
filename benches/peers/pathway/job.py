"""Pathway: a process for each worker. One reads the dump; `groupby` keeps one record of each detection id and spreads
them, so that every worker joins and formats a part, in batches."""

import cluster

import os

if cluster.COUNT > 1:  # as `pathway spawn` does
    os.environ |= {
        "PATHWAY_PROCESSES": str(cluster.COUNT),
        "PATHWAY_PROCESS_ID": str(cluster.PROCESS),
        "PATHWAY_FIRST_PORT": str(cluster.FIRST_PORT),
        "PATHWAY_RUN_ID": str(cluster.FIRST_PORT),
    }

import orjson
import pathway as pw

from detections import decode, format_rows
from peer import DETECTIONS, MAPPING, OUT, Clock

BATCH = 4096


class Mapping(pw.Schema):
    citylens_track_id: str
    axion_track_id: str


@pw.udf(deterministic=True, max_batch_size=BATCH)
def wanted(lines: list[str]) -> list[tuple[str, str, str] | None]:
    """Ids of detection and track, and the record, decoded no further than that."""
    return [
        (record[1]["detectionId"], record[1]["trackId"], line) if record else None
        for record, line in zip(map(decode, lines), lines)
    ]


@pw.udf(deterministic=True, max_batch_size=BATCH)
def formatted(lines: list[str], tracks: list[str]) -> list[tuple[str, str]]:
    """The lines of both tables."""
    rows = format_rows([(*decode(line), track) for line, track in zip(lines, tracks)])
    return [(detection.decode(), audit.decode()) for _, detection, audit in rows]


lines = pw.io.plaintext.read(DETECTIONS, mode="static")
mapping = pw.io.jsonlines.read(MAPPING, schema=Mapping, mode="static")
records = lines.select(record=wanted(pw.this.data)).filter(pw.this.record.is_not_none())
records = records.select(record=pw.unwrap(pw.this.record))
records = records.select(detection=pw.this.record[0], track=pw.this.record[1], line=pw.this.record[2])
records = records.groupby(pw.this.detection).reduce(
    track=pw.reducers.any(pw.this.track), line=pw.reducers.any(pw.this.line)
)
joined = records.join(mapping, records.track == mapping.citylens_track_id).select(records.line, mapping.axion_track_id)
rows = joined.select(rows=formatted(pw.this.line, pw.this.axion_track_id))

detections = open(f"{OUT}/detections-{cluster.PROCESS}.ndjson", "w", encoding="utf-8")
audit = open(f"{OUT}/audit_log-{cluster.PROCESS}.ndjson", "w", encoding="utf-8")


def write(key, row, time, is_addition):
    detection, event = row["rows"]
    detections.write(detection + "\n")
    audit.write(event + "\n")


pw.io.subscribe(rows, write)
clock = Clock()
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
detections.close()
audit.close()
if cluster.PROCESS == 0:
    cluster.wait()
    clock.end("pathway", pw.__version__)
