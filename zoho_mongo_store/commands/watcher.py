"""Reads the tokens repeatedly, and shows what has changed, even through outages."""

import contextlib
import time
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import pymongo
from pymongo.errors import PyMongoError

from zoho_mongo_store.commands.context import TIMEOUT, CommandContext
from zoho_mongo_store.commands.failures import explain
from zoho_mongo_store.commands.inventory import Inventory
from zoho_mongo_store.commands.newest_tokens import NewestTokens
from zoho_mongo_store.commands.token_summary import TokenSummary
from zoho_mongo_store.commands.watched_changes import Changed, WatchedChanges

_RETRY_SECONDS = 1.0


class Reading(NamedTuple):
    """The tokens at one moment.

    Attributes:
        now: The server's time.
        number: The number of stored tokens.
        refreshing: The number of refreshes in progress.
        failing: The tokens for which Zoho issues no access token, most urgent first.
        newest: The most recently saved tokens, newest first.
        source: How changes are found, in words.
    """

    now: datetime
    number: int
    refreshing: int
    failing: list[TokenSummary]
    newest: list[TokenSummary]
    source: str


class Display(Protocol):
    """Where readings are shown: a screen, or lines in a pipe."""

    def show(self, reading: Reading, inventory: Inventory) -> None:
        """Show a reading."""

    def silent(self, seconds: float, reason: str) -> None:
        """Show that MongoDB has not answered for this long."""


class Watcher:
    """Shows the failing and the most recently saved tokens, until it is stopped."""

    def __init__(self, context: CommandContext, display: Display, *, rows: int) -> None:
        """Prepare it. Nothing is sent yet.

        Args:
            context: The collection to watch.
            display: Where to show the tokens.
            rows: How many of the most recently saved tokens to read.
        """
        self._context = context
        self._display = display
        self._tokens = context.repository()
        self._newest = NewestTokens(context.collection, rows)
        self._changes = WatchedChanges(context.collection)
        self._answered_at = time.monotonic()
        self._reading_seconds = 0.0

    def run(self, length: timedelta | None, count: int | None) -> None:
        """Show the tokens at every change.

        Args:
            length: How long to run. ``None``: forever.
            count: How many readings to make. ``None``: no limit.

        Raises:
            PyMongoError: The first reading failed.
        """
        end = None if length is None else time.monotonic() + length.total_seconds()
        readings = 0
        changed: Changed = None
        with contextlib.closing(self._changes):
            while True:
                try:
                    self._changes.open()
                    self._read(changed)
                    readings += 1
                    if readings == count or (end is not None and time.monotonic() >= end):
                        return
                    changed = self._changes.wait(self._reading_seconds)
                    self._answered_at = time.monotonic()
                except PyMongoError as error:
                    if not readings:
                        raise
                    self._outlast(error)
                    changed = None
                    if end is not None and time.monotonic() >= end:
                        return

    def _read(self, changed: Changed) -> None:
        """Read the tokens and show them."""
        inventory = Inventory(self._tokens)
        began = time.monotonic()
        with pymongo.timeout(TIMEOUT):
            newest = self._newest.read(changed)
            number = self._context.collection.estimated_document_count()
        self._reading_seconds = time.monotonic() - began
        failing = sorted(inventory.failing(), key=lambda one: (one.state.rank, one.sort_key))
        reading = Reading(
            inventory.clock(),
            number,
            inventory.refreshing,
            failing,
            [inventory.summarize(one) for one in newest],
            self._changes.source,
        )
        self._answered_at = time.monotonic()
        self._display.show(reading, inventory)

    def _outlast(self, error: PyMongoError) -> None:
        """Show that MongoDB does not answer, and wait before the next try."""
        silence = time.monotonic() - self._answered_at
        self._display.silent(silence, explain(error, "watch", self._context.secrets))
        with contextlib.suppress(PyMongoError):
            self._changes.close()
        time.sleep(_RETRY_SECONDS)
