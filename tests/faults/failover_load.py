"""A process that finds and saves through failures of MongoDB, and what it saw."""

import logging
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

from tests.faults.documents import login
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore, TokenEvent
from zoho_mongo_store.sdk import SDKException

USERS_EACH = 5


@dataclass
class Outcome:
    """What one process saw; its moments are by ``time.monotonic``, which all on a host share."""

    finds: int = 0
    saves: int = 0
    failed_finds: int = 0
    failed_saves: int = 0
    longest_find: float = 0.0
    longest_save: float = 0.0
    acknowledged: dict[str, int] = field(default_factory=dict)
    attempted: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    raised: list[tuple[float, str, int]] = field(default_factory=list)
    """When each save that raised did so, its user and its number."""
    found_at: list[float] = field(default_factory=list)
    """When each find that succeeded had its answer, by that clock."""
    written_at: list[float] = field(default_factory=list)
    """When each kept save was written, by that clock."""


def users_of(worker: int) -> list[str]:
    """The names of the users whose tokens this process finds and saves."""
    return [f"user-{worker}-{index}" for index in range(USERS_EACH)]


def load(
    uri: str, worker: int, pause: float, end: Event, pipe: Connection, *, saves: bool = True
) -> None:
    """Find, and save every fifth time, until ``end`` is set; then tell what became of it.

    Without ``saves`` it only finds: a save that waits keeps its own thread from finding.

    The store has default options. It is not closed, and nothing is called at the end: what is kept
    has to be written without that. The process ends when something is sent to it.
    """
    logging.disable(logging.CRITICAL)
    users, outcome, turn = users_of(worker), Outcome(), 0

    def listen(event: TokenEvent) -> None:
        if event.name == "save_written":
            outcome.written_at.append(time.monotonic())

    store = MongoTokenStore(uri, on_event=listen)
    while not end.is_set():
        turn += 1
        started = time.monotonic()
        if turn % 5 or not saves:
            outcome.finds += 1
            try:
                if store.find_token(make_token(user_name=users[turn % USERS_EACH])) is None:
                    raise LookupError("not found")
                outcome.found_at.append(time.monotonic())
            except Exception as error:
                outcome.failed_finds += 1
                outcome.errors.append(str(error))
            outcome.longest_find = max(outcome.longest_find, time.monotonic() - started)
        else:
            user = users[(turn // 5) % USERS_EACH]
            outcome.saves += 1
            outcome.attempted[user] = turn
            try:
                store.save_token(make_token(**login(user, turn)))
            except SDKException:
                outcome.failed_saves += 1
                outcome.raised.append((time.monotonic(), user, turn))
            else:
                outcome.acknowledged[user] = turn
            outcome.longest_save = max(outcome.longest_save, time.monotonic() - started)
        time.sleep(pause)
    pipe.send(outcome)
    pipe.recv()
