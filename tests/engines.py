"""The one table of engines that the tests run on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import mongomock
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.server_api import ServerApi

from zoho_mongo_store.testing import LocalMongo, MongodUnavailableError

URI_VARIABLE = "ZOHO_MONGO_TEST_URI"
GIVEN_URI = os.environ.get(URI_VARIABLE, "").strip()
TOPOLOGY_VARIABLE = "ZOHO_MONGO_TEST_TOPOLOGY"
STANDALONE = os.environ.get(TOPOLOGY_VARIABLE) == "standalone"
VERSION_VARIABLE = "ZOHO_MONGO_TEST_VERSION"
CLAIMED_VERSION = os.environ.get(VERSION_VARIABLE, "")

SERVERS = ["mongodb"]
ENGINES = ["mongomock", *SERVERS]


@dataclass(frozen=True)
class Engine:
    """Something that stands where MongoDB does. Without a URI it lives in this process only."""

    name: str
    client: "MongoClient[dict[str, Any]]"
    uri: str = ""

    def uri_of(self, database: str) -> str:
        """The URI with a database in it. Its user, if it has one, stays that of ``admin``."""
        parts = urlsplit(self.uri)
        options = parse_qs(parts.query)
        if parts.username:
            options.setdefault("authSource", ["admin"])
        return urlunsplit(parts._replace(path=f"/{database}", query=urlencode(options, True)))


@contextmanager
def running(name: str) -> Iterator[Engine]:
    """The engine of that name, with a client, for as long as the block lasts.

    MongoDB is the user's where a URI is given, else of the tests' own: a replica set of one, or
    standalone where ``ZOHO_MONGO_TEST_TOPOLOGY`` says so.
    """
    if name == "mongomock":
        yield Engine(name, mongomock.MongoClient())
    elif GIVEN_URI:
        with _engine(name, GIVEN_URI) as engine:
            yield engine
    else:
        with LocalMongo(standalone=STANDALONE) as mongo, _engine(name, mongo.uri) as engine:
            yield engine


def describe_mongodb() -> str:
    """Which MongoDB it is, such as ``"MongoDB 6.0.5, a replica set of one"``, or why none is."""
    try:
        return (
            _describe_given(GIVEN_URI)
            if GIVEN_URI
            else LocalMongo(standalone=STANDALONE).description
        )
    except (MongodUnavailableError, PyMongoError) as error:
        return f"no MongoDB: {error}"


def _describe_given(uri: str) -> str:
    with MongoClient[dict[str, Any]](uri) as client:
        version, hello = client.server_info()["version"], client.admin.command("hello")
    kind = "sharded" if hello.get("msg") == "isdbgrid" else "standalone"
    if "setName" in hello:
        kind = f"a replica set of {len(hello['hosts'])}"
    return f"MongoDB {version}, {kind}, of {URI_VARIABLE}"


@contextmanager
def strict(engine: Engine) -> Iterator[Engine]:
    """The same MongoDB by a client that keeps to the Stable API; skips where there is none."""
    if engine.client.server_info()["versionArray"][0] < 5:
        pytest.skip("MongoDB has the Stable API since 5.0")
    api = ServerApi("1", strict=True)
    with MongoClient[dict[str, Any]](engine.uri, server_api=api) as client:
        yield Engine("strict", client, engine.uri)


@contextmanager
def _engine(name: str, uri: str) -> Iterator[Engine]:
    with MongoClient[dict[str, Any]](uri) as client:
        _check_version(client.server_info()["version"])
        yield Engine(name, client, uri)


def _check_version(version: str) -> None:
    """A run on a version of MongoDB is claimed only if it was one."""
    if CLAIMED_VERSION and not f"{version}.".startswith(f"{CLAIMED_VERSION}."):
        raise RuntimeError(f"{VERSION_VARIABLE} says {CLAIMED_VERSION}, and this is {version}.")
