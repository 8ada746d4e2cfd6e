"""Event handlers for processes: what they are told is read by the test."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoho_mongo_store import TokenEvent


@dataclass(frozen=True)
class EventLog:
    """Writes each event as one line into a file that any number of processes share."""

    path: str

    def __call__(self, event: TokenEvent) -> None:
        """Write it down, which the system does for so few bytes in one piece."""
        line = json.dumps({**vars(event), "text": repr(event)}, default=str) + "\n"
        with Path(self.path).open("ab", buffering=0) as file:
            file.write(line.encode())

    def read(self) -> list[dict[str, Any]]:
        """What was written."""
        path = Path(self.path)
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def names(self) -> list[str]:
        """The names of the events."""
        return [event["name"] for event in self.read()]


@dataclass(frozen=True)
class Raising(EventLog):
    """Raises after it has written an event down."""

    def __call__(self, event: TokenEvent) -> None:
        super().__call__(event)
        raise ValueError(f"what is wrong with {event.id}")


@dataclass(frozen=True)
class Hanging(EventLog):
    """Takes a second for each event."""

    def __call__(self, event: TokenEvent) -> None:
        time.sleep(1)
        super().__call__(event)
