"""A gunicorn that loads the application before it forks its workers."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import end

WORKERS = 4
APPLICATION = "tests.faults.gunicorn_app:application"
# Python 3.12 warns of any fork with threads, and a client that is in use has some.
STRICT = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]


@contextmanager
def running_gunicorn(uri: str, log: Path) -> Iterator[int]:
    """Run it on the MongoDB of ``uri``; yields its port, and writes what it prints to ``log``."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    options = ["--preload", f"--workers={WORKERS}", "--threads=2", f"--bind=127.0.0.1:{port}"]
    options += options_of_this_gunicorn()
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, *STRICT, "-m", "gunicorn", *options, APPLICATION],
            env={**os.environ, "ZOHO_MONGO_URI": uri},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while log.read_text().count("Booting worker") < WORKERS:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield port
    finally:
        end(process, 20)


def ask(port: int, query: str) -> tuple[int, bytes]:
    """Send one request; its status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", f"/?{query}")
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def options_of_this_gunicorn() -> list[str]:
    """What keeps this release from making a socket in the user's home."""
    from gunicorn.config import KNOWN_SETTINGS

    option = "--no-control-socket"
    return [option] if any(option in (one.cli or ()) for one in KNOWN_SETTINGS) else []
