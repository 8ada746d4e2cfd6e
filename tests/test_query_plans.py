"""Every command that the package sends goes by an index, unless it means the whole collection."""

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.encryption.keys import new_key
from tests.engines import SERVERS, Engine
from tests.operations import (
    COMMANDS,
    DEPLOY,
    IMPORT,
    KEYS,
    LAST,
    LEASES,
    REFRESH,
    STORE,
    TOKENS,
    Operation,
    Place,
)
from tests.profiling import Execution, profiled
from zoho_mongo_store.testing import LoopbackZoho

# Enough that a command which reads them all is told from one that reads those it is about.
SEEDED = 80
PLAIN = {**STORE, **REFRESH, **COMMANDS, **DEPLOY, **IMPORT}
ENCRYPTED = {**PLAIN, **KEYS}
del ENCRYPTED["decrypt"]
WATCH = COMMANDS["watch"]
# What reads a whole collection, and does so because it means all of it.
WHOLE: dict[str, set[str]] = {
    "get_tokens": {TOKENS},
    "iter_tokens": {TOKENS},
    "delete_tokens": {TOKENS, LEASES},
    "list": {TOKENS},
    "watch": {TOKENS},
    "doctor": {TOKENS},
    "export": {TOKENS},
    "purge": {TOKENS},
    "purge --dry-run": {TOKENS},
    "encrypt": {TOKENS},
    "decrypt": {TOKENS},
    "rotate-keys --data-key": {TOKENS},
}


@pytest.fixture(scope="module")
def zoho() -> Iterator[LoopbackZoho]:
    with LoopbackZoho() as server:
        yield server


@pytest.fixture(scope="module")
def mongodb(running_engines: Callable[[str], Engine]) -> Engine:
    (server,) = SERVERS
    engine = running_engines(server)
    if engine.client.admin.command("hello").get("msg") == "isdbgrid":
        pytest.skip("a sharded cluster has no profiler that a client of mongos could turn on")
    return engine


@pytest.fixture(scope="module")
def make_place(
    mongodb: Engine, zoho: LoopbackZoho, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Place]]:
    """Makes databases full of tokens and of leases that are long over."""
    places: list[Place] = []

    def make(*, encrypted: bool = False) -> Place:
        name, folder = f"test_{uuid.uuid4().hex}", tmp_path_factory.mktemp("place")
        place = Place(mongodb.uri, name, zoho, folder, new_key() if encrypted else None)
        places.append(place)
        place.run("init")
        place.seed(SEEDED)
        leases = mongodb.client[name][LEASES]
        leases.insert_many({"_id": os.urandom(32).hex()} for _ in range(SEEDED))
        return place

    yield make
    for place in places:
        mongodb.client.drop_database(place.database)


@pytest.fixture(scope="module")
def plain(make_place: Callable[..., Place]) -> Place:
    return make_place()


@pytest.fixture(scope="module")
def encrypted(make_place: Callable[..., Place]) -> Place:
    return make_place(encrypted=True)


def executions(mongodb: Engine, place: Place, operation: Operation) -> list[Execution]:
    with profiled(mongodb.client, place.database) as found:
        operation(place)
    assert found
    return found


def read_whole(found: list[Execution]) -> set[str]:
    """The collections that were read from end to end, by a scan or by an index."""
    examined = Counter[str]()
    for one in found:
        examined[one.collection] += SEEDED if one.scans else one.examined
    # Some of the operations delete a token.
    return {collection for collection, number in examined.items() if number > SEEDED // 2}


@pytest.mark.parametrize("name", PLAIN)
def test_in_plain(mongodb: Engine, plain: Place, name: str) -> None:
    found = executions(mongodb, plain, PLAIN[name])
    assert read_whole(found) == WHOLE.get(name, set()), found


@pytest.mark.parametrize("name", ENCRYPTED)
def test_encrypted(mongodb: Engine, encrypted: Place, name: str) -> None:
    found = executions(mongodb, encrypted, ENCRYPTED[name])
    assert read_whole(found) == WHOLE.get(name, set()), found


@pytest.mark.parametrize(
    ("name", "encrypted"), [*((name, False) for name in LAST), ("decrypt", True)]
)
def test_what_leaves_nothing_for_the_others(
    mongodb: Engine, make_place: Callable[..., Place], name: str, encrypted: bool
) -> None:
    found = executions(mongodb, make_place(encrypted=encrypted), {**LAST, **KEYS}[name])
    assert read_whole(found) == WHOLE[name], found


def test_watch_reads_the_whole_collection_once(mongodb: Engine, plain: Place) -> None:
    found = executions(mongodb, plain, WATCH)
    assert [one.collection for one in found if one.scans] == [TOKENS]


def test_watch_goes_by_the_idle_index(mongodb: Engine, make_place: Callable[..., Place]) -> None:
    place = make_place()
    place.run("init", "--expire-idle-after", "9d")
    found = executions(mongodb, place, WATCH)
    assert read_whole(found) == set(), found
    assert not any(one.sorts for one in found)
