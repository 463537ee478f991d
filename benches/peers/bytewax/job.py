"""Bytewax: a process for each worker, each reading its range of the dump in chunks of lines; rows go to the worker that
keeps the ids of their bucket, which is keyed state as recovery wants it."""

import cluster

import os
from importlib.metadata import version
from zlib import crc32

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import cluster_main

from detections import decode, format_rows, read_mapping
from peer import DETECTIONS, OUT, PARALLELISM, Clock

CHUNK = 1 << 20
BUCKETS = 4 * PARALLELISM


class Range(StatefulSourcePartition):
    """The lines that begin within a range of the dump."""

    def __init__(self, part, resume_at):
        size = os.path.getsize(DETECTIONS)
        self.end = size * (part + 1) // PARALLELISM
        self.file = open(DETECTIONS, "rb")
        if resume_at is not None:
            self.file.seek(resume_at)
        elif part > 0:
            self.file.seek(size * part // PARALLELISM - 1)
            self.file.readline()

    def next_batch(self):
        left = self.end - self.file.tell()
        if left <= 0:
            raise StopIteration
        return [self.file.readlines(min(CHUNK, left))]

    def snapshot(self):
        return self.file.tell()

    def close(self):
        self.file.close()


class Dump(FixedPartitionedSource):
    def list_parts(self):
        return [str(part) for part in range(PARALLELISM)]

    def build_part(self, step_id, for_part, resume_state):
        return Range(int(for_part), resume_state)


class Unseen(StatefulBatchLogic):
    """Keeps the rows of a bucket whose id was not seen yet."""

    def __init__(self, seen):
        self.seen = seen or set()

    def on_batch(self, batches):
        fresh = []
        for rows in batches:
            for row in rows:
                if row[0] not in self.seen:
                    self.seen.add(row[0])
                    fresh.append(row)
        return [fresh], StatefulBatchLogic.RETAIN

    def snapshot(self):
        return set(self.seen)


class Files(StatelessSinkPartition):
    def __init__(self, worker):
        self.detections = open(f"{OUT}/detections-{worker}.ndjson", "wb")
        self.audit = open(f"{OUT}/audit_log-{worker}.ndjson", "wb")

    def write_batch(self, batches):
        for _, rows in batches:
            self.detections.writelines(row[1] + b"\n" for row in rows)
            self.audit.writelines(row[2] + b"\n" for row in rows)

    def close(self):
        self.detections.close()
        self.audit.close()


class Tables(DynamicSink):
    def build(self, step_id, worker_index, worker_count):
        return Files(worker_index)


def rows_by_bucket(lines):
    buckets = [[] for _ in range(BUCKETS)]
    records = [
        (headers, payload, mapping[payload["trackId"]])
        for headers, payload in filter(None, map(decode, lines))
        if payload["trackId"] in mapping
    ]
    for row in format_rows(records):
        buckets[crc32(row[0].encode()) % BUCKETS].append(row)
    return [(str(bucket), rows) for bucket, rows in enumerate(buckets) if rows]


flow = Dataflow("detections")
chunks = op.input("read", flow, Dump())
rows = op.flat_map("rows", chunks, rows_by_bucket)
op.output("write", op.stateful_batch("unseen", rows, Unseen), Tables())

clock = Clock()
mapping = read_mapping()
addresses = [f"127.0.0.1:{cluster.FIRST_PORT + i}" for i in range(PARALLELISM)] if PARALLELISM > 1 else []
cluster_main(flow, addresses, cluster.PROCESS)
if cluster.PROCESS == 0:
    cluster.wait()
    clock.end("bytewax", version("bytewax"))
