"""Servers to break: each test has its own."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo


@pytest.fixture
def server() -> Iterator[LocalMongo]:
    """A server that loses no acknowledged write when it is killed.

    The indexes stand, so that a short time-out is not spent on waiting for the disk.
    """
    with LocalMongo() as running:
        with MongoTokenStore(running.uri, timeout=60) as store:
            store.ensure_indexes()
        yield running


@pytest.fixture
def silent(server: LocalMongo) -> Iterator[LocalMongo]:
    """A server whose process can be stopped (SIGSTOP), and goes on after the test."""
    yield server
    if server.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(server.pid, signal.SIGCONT)
