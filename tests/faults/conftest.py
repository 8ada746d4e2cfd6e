"""Servers to break: each test has its own."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from zoho_mongo_store.testing import EmbeddedServer


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    """A server that loses no acknowledged write when it is killed."""
    with EmbeddedServer(sync_on_commit=True) as running:
        yield running


@pytest.fixture
def silent(server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A server whose process can be stopped (SIGSTOP), and goes on after the test."""
    yield server
    if server.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(server.pid, signal.SIGCONT)
