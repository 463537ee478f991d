"""What a job in Python does besides its work: reads its arguments, and says how long it took."""

import json
import os
import sys
import time

DUMPS, OUT, PARALLELISM = sys.argv[1], sys.argv[2], int(sys.argv[3])
DETECTIONS = f"{DUMPS}/axion.sense.citylens.detections.ndjson"
MAPPING = f"{DUMPS}/mapping.ndjson"


def since_start():
    """Seconds since this process was started, to 0.01."""
    with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
        ticks = int(stat.read().rpartition(")")[2].split()[19])
        return float(uptime.read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


def lines(path):
    """How many lines a file has."""
    with open(path, "rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


class Clock:
    """Runs from when the engine is up."""

    def __init__(self):
        self.startup = since_start()
        self.began = time.perf_counter()

    def end(self, engine, version, records=None):
        """Prints the report. An engine that does not know how many records it read has their lines counted, after the time is taken."""
        seconds = time.perf_counter() - self.began
        report = {
            "engine": engine,
            "version": version,
            "parallelism": PARALLELISM,
            "records": lines(DETECTIONS) if records is None else records,
            "seconds": round(seconds, 3),
            "startup_seconds": round(self.startup, 3),
        }
        print(json.dumps(report), flush=True)
