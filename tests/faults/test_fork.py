"""A store that was made and used before a fork.

The programs run with every warning an error, through a proxy that keeps what each connection
carried: one that carried the marks of two processes was shared.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.fork_programs import PROGRAMS
from tests.faults.gunicorn_server import STRICT, WORKERS, ask, running_gunicorn
from tests.faults.proxy import Proxy
from zoho_mongo_store.testing import LocalMongo

REQUESTS = 200

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
        told = ("is lost", "does not answer", "answers again")
        lines = [line for line in lines if not any(one in line for one in told)]
    assert (status, lines) == (0, ["ok"])
    marks = processes_on_each_connection(proxy)
    assert max(map(len, marks)) == 1
    assert len(set().union(*marks)) >= 1


def test_gunicorn_with_preload(proxy: Proxy, tmp_path: Path) -> None:
    log = tmp_path / "gunicorn.log"
    with running_gunicorn(proxy.uri, log) as port, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: ask(port, str(number)), range(REQUESTS)))

    assert {status for status, _ in answers} == {200}
    assert len({worker for _, worker in answers}) == WORKERS
    marks = processes_on_each_connection(proxy)
    assert max(map(len, marks)) == 1
    assert len(set().union(*marks)) == WORKERS + 1
    assert not re.search("(?i)warning|error|traceback", log.read_text()), log.read_text()
