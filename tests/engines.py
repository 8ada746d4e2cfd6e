"""The one table of engines that the tests run on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import mongomock
from pymongo import MongoClient

from zoho_mongo_store.testing import EmbeddedServer

URI_VARIABLE = "ZOHO_MONGO_TEST_URI"
REAL_URI = os.environ.get(URI_VARIABLE)

# A real MongoDB joins both lists when its URI is given.
SERVERS = ["embedded", *(["mongodb"] if REAL_URI else [])]
ENGINES = ["mongomock", *SERVERS]


@dataclass(frozen=True)
class Engine:
    """Something that stands where MongoDB does. Without a URI it lives in this process only."""

    name: str
    client: "MongoClient[dict[str, Any]]"
    uri: str = ""

    @property
    def is_mongodb(self) -> bool:
        """Whether it is MongoDB itself, so that what only MongoDB does can be asserted."""
        return self.name == "mongodb"


@contextmanager
def running(name: str) -> Iterator[Engine]:
    """The engine of that name, with a client, for as long as the block lasts."""
    if name == "mongomock":
        yield Engine(name, mongomock.MongoClient())
    elif name == "embedded":
        with EmbeddedServer() as server, _engine(name, server.uri) as engine:
            yield engine
    else:
        with _engine(name, REAL_URI or "") as engine:
            yield engine


@contextmanager
def _engine(name: str, uri: str) -> Iterator[Engine]:
    with MongoClient[dict[str, Any]](uri) as client:
        yield Engine(name, client, uri)
