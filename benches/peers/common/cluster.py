"""Several processes of one job, since Python's threads take turns. To be imported first, so that all start up together."""

import os
import socket
import subprocess
import sys

COUNT = int(sys.argv[3])
PROCESS = int(os.environ.get("PEER_PROCESS", "0"))


def free_ports():
    """The first of as many free ports in a row as there are processes."""
    while True:
        sockets = []
        try:
            sockets.append(socket.create_server(("127.0.0.1", 0)))
            first = sockets[0].getsockname()[1]
            for port in range(first + 1, first + COUNT):
                sockets.append(socket.create_server(("127.0.0.1", port)))
            return first
        except (OSError, OverflowError):
            continue
        finally:
            for each in sockets:
                each.close()


if PROCESS == 0:
    FIRST_PORT = free_ports()
    environment = os.environ | {"PEER_PORT": str(FIRST_PORT)}
    others = [
        subprocess.Popen([sys.executable, *sys.argv], env=environment | {"PEER_PROCESS": str(i)}) for i in range(1, COUNT)
    ]
else:
    FIRST_PORT = int(os.environ["PEER_PORT"])
    others = []


def wait():
    """Returns once the other processes have ended."""
    for each in others:
        if each.wait() != 0:
            raise SystemExit("a process of the job failed")
