"""How long a program takes to start: the imports, and the first token."""

import re
import subprocess
import sys
from collections import Counter

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import PeerMaker
from benchmarks.peers import FILE, OURS, RAW
from benchmarks.peers.files import FilePeer

_AUTHENTICATOR = "zohocrmsdk.src.com.zoho.api.authenticator"
_SDK = f"from {_AUTHENTICATOR} import OAuthToken"
PYTHON, SDK, PYMONGO, PACKAGE = PROGRAMS = (
    "Python",
    "import the SDK",
    "import the SDK and pymongo",
    "import MongoTokenStore",
)
_CODE = {
    PYTHON: "",
    SDK: _SDK,
    PYMONGO: f"{_SDK}; import pymongo",
    PACKAGE: "from zoho_mongo_store import MongoTokenStore",
}
# Each is run with the place of its tokens as arguments, and ends once it has a token.
_FIRST_TOKEN = {
    FILE: f"""
import os, sys
from {_AUTHENTICATOR}.store import FileStore
assert FileStore(sys.argv[1]).find_token_by_id("1")
os._exit(0)
""",
    RAW: f"""
import os, sys
{_SDK}
from pymongo import MongoClient
document = MongoClient(sys.argv[1])[sys.argv[2]].oauthtoken.find_one({{"id": "1"}})
assert OAuthToken(id=document["id"], access_token=document["access_token"])
os._exit(0)
""",
    OURS: """
import os, sys
from zoho_mongo_store import MongoTokenStore
assert MongoTokenStore(sys.argv[1], database=sys.argv[2]).find_token_by_id("1")
os._exit(0)
""",
}
_LINE = re.compile(r"import time: +\d+ \| +(\d+) \| (\S+)$")
_ROUNDS = 7


def run(code: str, *arguments: str, options: tuple[str, ...] = ()) -> str:
    """Run a program to its end; what it writes to standard error."""
    command = [sys.executable, *options, "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def import_times() -> dict[str, float]:
    """The milliseconds that the SDK takes to import, then pymongo, then this package on top."""
    code = f"{_SDK}; import pymongo; import zoho_mongo_store.store"
    milliseconds: Counter[str] = Counter()
    for line in run(code, options=("-X", "importtime")).splitlines():
        # Modules that others import are indented.
        if match := _LINE.match(line):
            milliseconds[match[2].partition(".")[0]] += int(match[1])
    return {
        name: milliseconds[name] / 1000 for name in ("zohocrmsdk", "pymongo", "zoho_mongo_store")
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_import_time(benchmark: BenchmarkFixture, program: str) -> None:
    benchmark.group = "start-up: imports"
    benchmark.pedantic(run, (_CODE[program],), rounds=_ROUNDS, warmup_rounds=1)
    if program == PACKAGE:
        benchmark.extra_info["import_times"] = [import_times() for _ in range(_ROUNDS)]


@pytest.mark.parametrize("peer", _FIRST_TOKEN)
def test_first_token(benchmark: BenchmarkFixture, make_peer: PeerMaker, peer: str) -> None:
    benchmark.group = "start-up: the first token"
    tokens = make_peer(peer, "growth_10", 10)
    place = (
        [tokens.path] if isinstance(tokens, FilePeer) else [tokens.sites.mongodb, tokens.storage]
    )
    benchmark.pedantic(run, (_FIRST_TOKEN[peer], *place), rounds=_ROUNDS, warmup_rounds=1)
