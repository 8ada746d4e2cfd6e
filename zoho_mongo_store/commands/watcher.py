"""Reads the tokens again and again, and shows what changed."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any

import pymongo
from pymongo.change_stream import ChangeStream
from pymongo.errors import OperationFailure
from rich.console import Group
from rich.live import Live
from rich.text import Text

from zoho_mongo_store.commands.context import TIMEOUT, CommandContext
from zoho_mongo_store.commands.inventory import Inventory
from zoho_mongo_store.commands.newest_tokens import NewestTokens
from zoho_mongo_store.commands.output import console, format_date, print_json_line
from zoho_mongo_store.commands.token_summary import TokenState, TokenSummary
from zoho_mongo_store.commands.token_table import count_tokens, token_table
from zoho_mongo_store.encryption.cipher import UnreadableError
from zoho_mongo_store.model.document import Document

_INTERVAL = 1.0
# Without a change stream each reading may be one of the whole collection, which is to keep MongoDB
# busy for a tenth of the time at most.
_PAUSE_PER_READING = 10
_PIPED_ROWS = 50
# The table's frame, and the line below it.
_OTHER_LINES = 6
# A burst of changes is shown at once: when it is over, or after this many changes.
_BURST = 1000
_QUIET_MILLISECONDS = 250

Changed = list[Any] | None
Wait = Callable[[], Changed]
Show = Callable[[list[TokenSummary], int, datetime], None]


class Watcher:
    """Shows the tokens that were saved last, until it is ended."""

    def __init__(self, context: CommandContext, *, rows: int | None, json: bool) -> None:
        """Prepare the screen.

        Args:
            context: The collection to watch.
            rows: How many tokens to show. ``None``: as many as fit, or 50 in a pipe.
            json: Whether to write each change as one line of JSON.
        """
        self._tokens = context.repository()
        self._collection = context.collection
        self._is_encrypted = context.encryption is not None
        self._json = json
        self._console = console()
        self._rows = rows or (
            max(1, self._console.height - _OTHER_LINES)
            if self._console.is_terminal
            else _PIPED_ROWS
        )
        self._newest = NewestTokens(self._collection, self._rows)
        self._reading_seconds = 0.0
        self._source = ""

    def run(self, length: timedelta | None, count: int | None) -> None:
        """Show the tokens at every change.

        Args:
            length: When to end. ``None``: never.
            count: After how many readings to end. ``None``: never.
        """
        end = None if length is None else time.monotonic() + length.total_seconds()
        with ExitStack() as stack:
            wait = stack.enter_context(self._changes())
            show = stack.enter_context(self._screen())
            readings = 0
            changed: Changed = None
            while True:
                show(*self._read(changed))
                readings += 1
                if readings == count or (end is not None and time.monotonic() >= end):
                    return
                changed = wait()

    def _read(self, changed: Changed) -> tuple[list[TokenSummary], int, datetime]:
        """Read the tokens that were saved last, the number of all, and the server's time."""
        inventory = Inventory(self._tokens)
        began = time.monotonic()
        with pymongo.timeout(TIMEOUT):
            newest = self._newest.read(changed)
            self._reading_seconds = time.monotonic() - began
            number = self._collection.estimated_document_count()
        if self._is_encrypted:
            newest = [self._decrypt(document) for document in newest]
        return [inventory.summarize(one) for one in newest], number, inventory.clock()

    def _decrypt(self, document: Document) -> Document:
        """Read the document in plain; as it is if it is damaged or gone."""
        try:
            return self._tokens.find([{"_id": document["_id"]}]) or document
        except UnreadableError:
            return document

    @contextmanager
    def _changes(self) -> Iterator[Wait]:
        """Return a function that waits for the next change, and tells what has changed."""
        name = self._collection.name
        watched = {"ns.coll": {"$in": [name, f"{name}.leases"]}}
        with ExitStack() as stack:
            try:
                with pymongo.timeout(TIMEOUT):
                    stream = stack.enter_context(
                        self._collection.database.watch(
                            [{"$match": watched}], max_await_time_ms=_QUIET_MILLISECONDS
                        )
                    )
            except OperationFailure:
                # Not a replica set, or the role may not open one.
                self._source = f"looked for every {_INTERVAL:.0f} s"
                yield self._pause
            else:
                self._source = "told by a change stream"
                yield lambda: _wait_for_change(stream, name)

    def _pause(self) -> Changed:
        seconds = max(_INTERVAL, self._reading_seconds * _PAUSE_PER_READING)
        self._source = f"looked for every {seconds:.0f} s"
        time.sleep(seconds)
        return None

    @contextmanager
    def _screen(self) -> Iterator[Show]:
        """Open what shows the tokens: a live table, or lines in a pipe."""
        if self._json or not self._console.is_terminal:
            yield self._show_changes()
            return
        with Live(console=self._console, auto_refresh=False) as live:
            yield lambda tokens, number, now: live.update(
                self._draw(tokens, number, now), refresh=True
            )

    def _show_changes(self) -> Show:
        """Make a function that writes what changed since its last call."""
        last: dict[str, TokenSummary] = {}

        def show(tokens: list[TokenSummary], number: int, now: datetime) -> None:
            current = {token.id: token._replace(lease=None) for token in tokens}
            changed = [token for id, token in current.items() if last.get(id) != token]
            gone = [id for id in last if id not in current]
            if self._json:
                for token in changed:
                    print_json_line({"time": now, **token.as_json(now)})
                for id in gone:
                    print_json_line({"time": now, "id": id, "state": "gone"})
            elif changed or gone or not last:
                self._console.print(self._draw(tokens, number, now))
            last.clear()
            last.update(current)

        return show

    def _draw(self, tokens: list[TokenSummary], number: int, now: datetime) -> Group:
        busy = [
            f"{sum(one.state is state for one in tokens)} {state.value}"
            for state in (TokenState.REFRESHING, TokenState.COOLING_DOWN)
        ]
        parts: list[Any] = [count_tokens(number), *busy, f"{format_date(now)} UTC", self._source]
        return Group(token_table(tokens, now), Text(", ".join(parts), style="dim"))


def _wait_for_change(stream: ChangeStream[Document], collection: str) -> Changed:
    """Wait for a change for up to a second, and take those that come with it.

    Returns:
        The ``_id`` of each document of ``collection`` that has changed; ``None`` if something
        happened to the collection itself, so that any may have.
    """
    changed: list[Any] = []
    end = time.monotonic() + _INTERVAL
    while (event := stream.try_next()) is None:
        if time.monotonic() >= end:
            return changed
    for _ in range(_BURST):
        if "documentKey" not in event:
            return None
        if event["ns"]["coll"] == collection:
            changed.append(event["documentKey"]["_id"])
        event = stream.try_next()
        if event is None:
            break
    return changed
