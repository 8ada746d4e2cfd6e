"""Listens to the commands that a client sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

Client = MongoClient[dict[str, Any]]


class Commands(CommandListener):
    """The commands that were sent, in order."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.sent.append(dict(event.command))
        self.names.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing: what was sent counts."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing: what was sent counts."""

    def clear(self) -> None:
        """Forget what was sent so far."""
        self.sent.clear()
        self.names.clear()


@contextmanager
def listening(uri: str, **options: Any) -> Iterator[tuple[Client, Commands]]:
    """A client of its own, and the commands that it sends."""
    commands = Commands()
    with Client(uri, event_listeners=[commands], **options) as client:
        yield client, commands
