"""MongoDB for the benchmarks: the user's, or a ``mongod`` that has room for a million tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psutil
from pymongo import MongoClient

from tests.engines import GIVEN_URI, describe_mongodb
from zoho_mongo_store.testing import LocalMongo

CACHE_GIB = 1


class Server(NamedTuple):
    """A MongoDB that runs.

    Attributes:
        uri: Leads to it.
        description: Which one it is.
        pid: Its process, if it is one of this machine's.
    """

    uri: str
    description: str
    pid: int | None = None

    def cpu(self) -> float:
        """Seconds of CPU that it has used; not a number where that is not known."""
        if self.pid is None:
            return float("nan")
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def running() -> Iterator[Server]:
    """The MongoDB of ``ZOHO_MONGO_TEST_URI``, else a replica set of one during the block."""
    if GIVEN_URI:
        yield Server(GIVEN_URI, describe_mongodb())
        return
    with LocalMongo() as mongo:
        with MongoClient[dict[str, Any]](mongo.uri) as client:
            # A parameter that only a running server takes.
            cache = f"cache_size={CACHE_GIB}GB"
            client.admin.command({"setParameter": 1, "wiredTigerEngineRuntimeConfig": cache})
        description = f"{mongo.description} with {CACHE_GIB} GiB of cache"
        yield Server(mongo.uri, description, mongo.members[0].pid)
