"""What the benchmarks share: the servers, the peers filled with tokens, and what the report says of
the machine."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks import mariadb
from benchmarks.peers import MARIADB, OURS, PEERS, RAW, Peer, Sites
from benchmarks.rows import rows
from tests.engines import SERVERS, Engine, running
from zoho_mongo_store.testing import LoopbackZoho

_PACKAGES = (
    *("zoho-mongo-store", "zohocrmsdk8_0", "pymongo", "secantusdb"),
    *("mysql-connector-python", "pytest-benchmark"),
)
_MOST = 100_000

PeerMaker = Callable[..., Peer]

_facts: dict[str, Any] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """How large the largest collection is."""
    parser.addoption("--most", type=int, default=_MOST, help="tokens in the largest collection")


def pytest_benchmark_update_json(
    config: pytest.Config, benchmarks: list[dict[str, Any]], output_json: dict[str, Any]
) -> None:
    """Add what the report says of the run."""
    del config, benchmarks
    output_json["facts"] = {
        **_facts,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_at_the_end": [round(load, 1) for load in os.getloadavg()],
        "versions": {package: version(package) for package in _PACKAGES},
    }


@pytest.fixture(scope="session", autouse=True)
def load_at_the_start() -> None:
    """Note how busy the machine was before."""
    _facts["load_at_the_start"] = [round(load, 1) for load in os.getloadavg()]


@pytest.fixture(scope="session")
def most(request: pytest.FixtureRequest) -> int:
    """Tokens in the largest collection."""
    count: int = request.config.getoption("--most")
    return count


@pytest.fixture(scope="session")
def mongodb() -> Iterator[Engine]:
    """MongoDB where its URI is given, else the embedded server."""
    with running(SERVERS[-1]) as engine:
        server = engine.client.server_info()["version"]
        _facts["mongodb"] = (
            f"MongoDB {server}"
            if engine.is_mongodb
            else f"embedded server (SecantusDB {version('secantusdb')})"
        )
        yield engine


@pytest.fixture(scope="session")
def mariadb_port() -> Iterator[int | None]:
    """The port of a MariaDB; ``None``, and a note in the report, where there can be none."""
    with ExitStack() as stack:
        try:
            port = stack.enter_context(mariadb.running())
        except mariadb.UnavailableError as error:
            _facts["mariadb"] = f"left out: {error}"
            yield None
            return
        _facts["mariadb"] = f"MariaDB {mariadb.version(port)}"
        yield port


@pytest.fixture(scope="session")
def make_peer(
    tmp_path_factory: pytest.TempPathFactory, mongodb: Engine, mariadb_port: int | None
) -> Iterator[PeerMaker]:
    """Makes peers by name, on storages by name, each filled once. pymongo alone has no storage of
    its own: it uses this store's."""
    folder: Path = tmp_path_factory.mktemp("peers")
    sites = Sites(folder, mongodb.uri, mariadb_port)
    made: dict[tuple[str, str], Peer] = {}

    def make(name: str, storage: str, tokens: int = 0) -> Peer:
        if name == MARIADB and mariadb_port is None:
            pytest.skip(str(_facts["mariadb"]))
        key = (OURS if name == RAW else name, storage)
        peer = PEERS[name](sites, f"bench_{storage}")
        if key not in made:
            peer.load(rows(tokens))
            made[key] = peer
        return peer

    yield make
    for peer in made.values():
        mongodb.client.drop_database(peer.storage)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def zoho() -> Iterator[LoopbackZoho]:
    """A loopback Zoho for all fleets."""
    with LoopbackZoho() as server:
        yield server
