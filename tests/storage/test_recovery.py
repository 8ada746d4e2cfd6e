"""The end of a process whose store nobody closed: what is kept is written, or said to be lost."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.faults.documents import documents
from tests.faults.proxy import Proxy
from zoho_mongo_store.testing import LocalMongo

PROGRAM = """
import logging, sys, time
from tests.faults.documents import login
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore

store = MongoTokenStore(sys.argv[1], timeout=2)
store.get_tokens()
print("ready", flush=True)
sys.stdin.readline()
try:
    store.save_token(make_token(**login("ada", 1), id="seven"))
except Exception as error:
    print("failed", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[LocalMongo]:
    with LocalMongo() as running:
        yield running


@pytest.mark.parametrize("is_back", [True, False])
def test_the_end_of_a_process(server: LocalMongo, is_back: bool) -> None:
    with Proxy(server.members[0].port) as proxy:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROGRAM, proxy.uri],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        proxy.deaf.set()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "failed\n"
        if is_back:
            proxy.deaf.clear()
        started = time.monotonic()
        _, errors = process.communicate("\n", timeout=60)

    assert process.returncode == 0
    assert "Traceback" not in errors
    lost = "The token with id seven, user ada is lost: MongoDB could not be reached"
    assert (lost in errors) == (not is_back)
    found = [one["access_token"] for one in documents(server.uri)]
    assert found == (["access-ada-1"] if is_back else found)
    # The promise is the time-out of two seconds; a busy machine gets time.
    assert time.monotonic() - started < 15
    assert "access-ada" not in errors
