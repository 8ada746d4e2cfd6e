"""Looking at the tokens again and again, and showing what changed."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any

import pymongo
from pymongo.change_stream import ChangeStream
from pymongo.collection import Collection
from pymongo.errors import OperationFailure
from rich.console import Group
from rich.live import Live
from rich.text import Text

from zoho_mongo_store.commands.context import TIMEOUT, CommandContext
from zoho_mongo_store.commands.inventory import Inventory, Item, State
from zoho_mongo_store.commands.items import counted, item_table
from zoho_mongo_store.commands.output import console, print_json_line, shown_date
from zoho_mongo_store.encryption.cipher import UnreadableError
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.repository import TokenRepository

_INTERVAL = 1.0
_PIPED_ROWS = 50
# The table's frame, and the line below it.
_OTHER_LINES = 6
# A burst of changes is shown at once, when it is over or so long.
_BURST = 1000
_QUIET_MILLISECONDS = 250

Wait = Callable[[], None]
Looks = dict[str, Item]


class Watching:
    """The tokens that were saved last, shown until it is ended."""

    def __init__(self, context: CommandContext, *, rows: int | None, json: bool) -> None:
        self._place = context
        self._json = json
        self._console = console()
        self._rows = rows or (
            max(1, self._console.height - _OTHER_LINES)
            if self._console.is_terminal
            else _PIPED_ROWS
        )
        self._way = ""

    def run(self, length: timedelta | None, count: int | None) -> None:
        """Look until so long has passed or so many looks were taken; endlessly without these."""
        end = None if length is None else time.monotonic() + length.total_seconds()
        with ExitStack() as stack:
            tokens = stack.enter_context(self._place.open())
            collection = stack.enter_context(self._place.collection())
            wait = stack.enter_context(self._changes(collection))
            show = stack.enter_context(self._screen())
            looks = 0
            while True:
                show(*self._look(tokens, collection))
                looks += 1
                if looks == count or (end is not None and time.monotonic() >= end):
                    return
                wait()

    def _look(
        self, tokens: TokenRepository, collection: Collection[Document]
    ) -> tuple[list[Item], int, datetime]:
        inventory = Inventory(tokens)
        with pymongo.timeout(TIMEOUT):
            newest = list(collection.find().sort("updated_at", -1).limit(self._rows))
            number = collection.estimated_document_count()
        if self._place.encryption is not None:
            newest = [_decrypted(tokens, document) for document in newest]
        return [inventory.item(one) for one in newest], number, inventory.clock()

    @contextmanager
    def _changes(self, collection: Collection[Document]) -> Iterator[Wait]:
        """A function that returns at the next change, and after a second at the latest."""
        watched = {"ns.coll": {"$in": [collection.name, f"{collection.name}.leases"]}}
        with ExitStack() as stack:
            try:
                with pymongo.timeout(TIMEOUT):
                    stream = stack.enter_context(
                        collection.database.watch(
                            [{"$match": watched}], max_await_time_ms=_QUIET_MILLISECONDS
                        )
                    )
            except OperationFailure:
                # No replica set, or a role that may not.
                self._way = f"looked for every {_INTERVAL:.0f} s"
                yield lambda: time.sleep(_INTERVAL)
            else:
                self._way = "told by a change stream"
                yield lambda: _next_change(stream)

    @contextmanager
    def _screen(self) -> Iterator[Callable[[list[Item], int, datetime], None]]:
        if self._json or not self._console.is_terminal:
            yield self._changes_alone()
            return
        with Live(console=self._console, auto_refresh=False) as live:
            yield lambda items, number, now: live.update(
                self._drawn(items, number, now), refresh=True
            )

    def _changes_alone(self) -> Callable[[list[Item], int, datetime], None]:
        """Writes what changed since the last look: JSON lines, or the whole table."""
        last: Looks = {}

        def show(items: list[Item], number: int, now: datetime) -> None:
            looks = {item.id: item._replace(lease=None) for item in items}
            changed = [item for id, item in looks.items() if last.get(id) != item]
            gone = [id for id in last if id not in looks]
            if self._json:
                for item in changed:
                    print_json_line({"time": now, **item.as_json(now)})
                for id in gone:
                    print_json_line({"time": now, "id": id, "state": "gone"})
            elif changed or gone or not last:
                self._console.print(self._drawn(items, number, now))
            last.clear()
            last.update(looks)

        return show

    def _drawn(self, items: list[Item], number: int, now: datetime) -> Group:
        busy = [
            f"{sum(one.state is state for one in items)} {state.value}"
            for state in (State.REFRESHING, State.COOLING_DOWN)
        ]
        parts: list[Any] = [counted(number), *busy, f"{shown_date(now)} UTC", self._way]
        return Group(item_table(items, now), Text(", ".join(parts), style="dim"))


def _decrypted(tokens: TokenRepository, document: Document) -> Document:
    """The document in plain; as it is if that cannot be had, or it is gone."""
    try:
        return tokens.find([{"_id": document["_id"]}]) or document
    except UnreadableError:
        return document


def _next_change(stream: ChangeStream[Document]) -> None:
    """Wait for a change, and take those that come with it."""
    end = time.monotonic() + _INTERVAL
    while stream.try_next() is None:
        if time.monotonic() >= end:
            return
    for _ in range(_BURST):
        if stream.try_next() is None:
            return
