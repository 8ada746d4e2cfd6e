"""What the benchmarks share: sizes, servers, peers filled with tokens, and the machine."""

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
from pymongo import MongoClient

from benchmarks.peers import MARIADB, ON_MONGODB, OURS, PEERS
from benchmarks.peers.peer import Peer, Sites
from benchmarks.report import ORDER
from benchmarks.rows import rows
from benchmarks.servers import mariadb, mongodb
from zoho_mongo_store.testing import LoopbackZoho

_PACKAGES = (
    *("zoho-mongo-store", "zohocrmsdk8_0", "pymongo"),
    *("mysql-connector-python", "pytest-benchmark"),
)
# The largest value that a quick run takes of each parameter.
_QUICK = {"turn": 1, "callers": 8, "tokens": 1000, "users": 200, "failures": 1}

PeerMaker = Callable[..., Peer]

_facts: dict[str, Any] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--quick``."""
    parser.addoption(
        "--quick",
        action="store_true",
        help="few turns and small collections: shows that everything works, and measures nothing",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Measure in the order of the report, without what a quick run has no time for."""
    items.sort(key=lambda item: ORDER.index(item.path.stem.removeprefix("test_")))
    if not config.getoption("--quick"):
        return
    left_out = [item for item in items if not _is_quick(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_benchmark_update_json(
    config: pytest.Config, benchmarks: list[dict[str, Any]], output_json: dict[str, Any]
) -> None:
    """Add what the report says of the run."""
    del benchmarks
    output_json["facts"] = {
        **_facts,
        "quick": config.getoption("--quick"),
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
def mongodb_server() -> Iterator[mongodb.Server]:
    """A MongoDB."""
    with mongodb.running() as server:
        _facts["mongodb"] = server.description
        yield server


@pytest.fixture(scope="session")
def mongodb_uri(mongodb_server: mongodb.Server) -> str:
    """A MongoDB's."""
    return mongodb_server.uri


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
    tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str, mariadb_port: int | None
) -> Iterator[PeerMaker]:
    """Makes peers by name, on storages by name, each filled once.

    pymongo alone has no storage of its own: it uses this store's.
    """
    folder: Path = tmp_path_factory.mktemp("peers")
    sites = Sites(folder, mongodb_uri, mariadb_port)
    made: dict[tuple[str, str], Peer] = {}

    def make(name: str, storage: str, tokens: int = 0) -> Peer:
        if name == MARIADB and mariadb_port is None:
            pytest.skip(str(_facts["mariadb"]))
        key = (OURS if name in ON_MONGODB else name, storage)
        peer = PEERS[name](sites, f"bench_{storage}")
        if key not in made:
            peer.load(rows(tokens))
            made[key] = peer
        return peer

    yield make
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        for peer in made.values():
            client.drop_database(peer.storage)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def zoho() -> Iterator[LoopbackZoho]:
    """A loopback Zoho for all fleets."""
    with LoopbackZoho() as server:
        yield server


def _is_quick(item: pytest.Item) -> bool:
    params: dict[str, Any] = item.callspec.params if isinstance(item, pytest.Function) else {}
    return all(params.get(name, 0) <= most for name, most in _QUICK.items())
