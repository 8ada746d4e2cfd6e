"""A store that was made and used before a fork.

The programs run with every warning an error, through a proxy that keeps what each connection
carried: one that carried the marks of two processes was shared.
"""

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.fork_programs import PROGRAMS
from tests.faults.proxy import Proxy
from zoho_mongo_store.testing import LocalMongo

WORKERS = 4
REQUESTS = 200
# Python 3.12 warns of any fork with threads, and a client that is in use has some.
STRICT = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture
def proxy(server: LocalMongo) -> Iterator[Proxy]:
    with Proxy(server.members[0].port) as running:
        yield running


def processes_on_each_connection(proxy: Proxy) -> list[set[bytes]]:
    return [set(re.findall(rb"mark-\d+", bytes(heard))) for heard in proxy.heard]


@pytest.mark.parametrize("program", PROGRAMS)
def test_forking(proxy: Proxy, program: str, tmp_path: Path) -> None:
    command = [sys.executable, *STRICT, "-m", "tests.faults.fork_programs", program, proxy.uri]
    output = tmp_path / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            status = process.wait(90)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            status = None

    lines = [
        line
        for line in output.read_text().splitlines()
        if "cannot be reached" not in line  # What an outage logs.
    ]
    if program == "during_an_outage":
        lines = [line for line in lines if "is lost" not in line]
    assert (status, lines) == (0, ["ok"])
    marks = processes_on_each_connection(proxy)
    assert max(map(len, marks)) == 1
    assert len(set().union(*marks)) >= 1


@pytest.fixture
def gunicorn(proxy: Proxy, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The port of a gunicorn that loaded the application before it forked, and its output."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    log = tmp_path / "gunicorn.log"
    options = ["--preload", f"--workers={WORKERS}", "--threads=2", f"--bind=127.0.0.1:{port}"]
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, *STRICT, "-m", "gunicorn", *options]
            + ["--no-control-socket"] * supports_control_socket()
            + ["tests.faults.gunicorn_app:application"],
            env={**os.environ, "ZOHO_MONGO_URI": proxy.uri},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while log.read_text().count("Booting worker") < WORKERS:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield port, log
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def supports_control_socket() -> bool:
    from gunicorn.config import KNOWN_SETTINGS

    return any("--no-control-socket" in (setting.cli or ()) for setting in KNOWN_SETTINGS)


def ask(port: int, number: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", f"/?{number}")
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_gunicorn_with_preload(gunicorn: tuple[int, Path], proxy: Proxy) -> None:
    port, log = gunicorn
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: ask(port, number), range(REQUESTS)))

    assert {status for status, _ in answers} == {200}
    assert len({worker for _, worker in answers}) == WORKERS
    marks = processes_on_each_connection(proxy)
    assert max(map(len, marks)) == 1
    assert len(set().union(*marks)) == WORKERS + 1
    assert not re.search("(?i)warning|error|traceback", log.read_text()), log.read_text()
