"""What the coordination costs when nothing is due, and while others refresh."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandStartedEvent

from tests.engines import SERVERS, Engine
from tests.refresh.callers import Fields, Fleet, ask, by_id, by_user_name, driving, in_threads
from tests.sent_commands import Commands, listening
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore, RefreshPolicy
from zoho_mongo_store.refresh.lease import lease_key
from zoho_mongo_store.refresh.leases import Leases

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

LEASES = "oauthtoken.leases"


class Readers(Commands):
    """Who reads the leases, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []

    def started(self, event: CommandStartedEvent) -> None:
        super().started(event)
        if event.command_name == "find" and event.command["find"] == LEASES:
            # A command is told of by the thread that sends it.
            self.threads.append(threading.get_ident())


def lively(fleet: Fleet) -> Fields:
    """The fields of a stored token that is good for an hour."""
    moment = datetime.now(UTC) + timedelta(hours=1)
    refresh_token = fleet.zoho.refresh_token()
    return fleet.stored(
        refresh_token=refresh_token,
        access_token=fleet.zoho.access_token(refresh_token),
        expires_in=str(int(moment.timestamp() * 1000)),
    )


@pytest.mark.parametrize("way", [by_id, by_user_name])
def test_a_call_with_nothing_due_is_one_find(
    engine: Engine, database: str, fleet: Fleet, way: Any
) -> None:
    fields = lively(fleet)
    with listening(engine.uri) as (client, commands):
        store = MongoTokenStore(client=client, database=database)
        with driving(store, fleet.zoho):
            store.find_token_by_id(fields["id"])
            for _ in range(5):
                commands.clear()
                assert ask(make_token(**way(fields))).access_token == fields["access_token"]
                assert commands.names == ["find"]
                commands.clear()
                assert store.find_token(make_token(**way(fields))) is not None
                assert commands.names == ["find"]


def test_a_refresh_costs_a_handful_of_commands(engine: Engine, database: str, fleet: Fleet) -> None:
    fields = fleet.stored()
    with listening(engine.uri) as (client, commands):
        store = MongoTokenStore(client=client, database=database)
        with driving(store, fleet.zoho):
            store.find_token_by_id("unknown")
            commands.clear()
            ask(make_token(**by_id(fields)))
            sent = [
                (name, LEASES in one.values())
                for name, one in zip(commands.names, commands.sent, strict=True)
            ]

    assert sent[:7] == [
        ("find", False),
        ("hello", False),
        ("findAndModify", True),
        ("find", False),
        ("update", True),
        ("findAndModify", False),
        ("update", True),
    ]
    # SDKs from 6 on save once more.
    assert sent[7:] in ([], [("findAndModify", False)])


@contextmanager
def held_lease(engine: Engine, database: str, fields: Fields, access_token: str) -> Iterator[None]:
    """Somebody else holds the lease, and has stored ``access_token`` when the block ends."""
    with MongoTokenStore(engine.uri, database=database) as other:
        collection = other.collection.database.get_collection(
            LEASES, other.collection.codec_options
        )
        leases = Leases(lambda: collection, 30, RefreshPolicy())
        lease = leases.acquire(
            lease_key("refresh_token", fields["refresh_token"]), "theirs", leases.clock()()
        )
        assert lease is not None
        yield
        other.collection.update_one(
            {"id": fields["id"]},
            {
                "$set": {
                    "access_token": access_token,
                    "expiry_time": datetime.now(UTC) + timedelta(hours=1),
                }
            },
        )
        leases.succeed(lease)


@pytest.mark.parametrize("waiting", [1, 40])
def test_one_thread_of_a_process_polls(
    engine: Engine, database: str, fleet: Fleet, waiting: int
) -> None:
    fields = fleet.stored()
    readers = Readers()
    calls: list[str | None] = []
    with MongoClient[dict[str, Any]](engine.uri, event_listeners=[readers]) as client:
        store = MongoTokenStore(client=client, database=database, timeout=30)
        with driving(store, fleet.zoho):
            store.find_token_by_id("unknown")
            with held_lease(engine, database, fields, "1000.theirs"):
                threads = threading.Thread(
                    target=lambda: calls.extend(
                        one.access_token for one in in_threads(by_id(fields), waiting)
                    )
                )
                began = time.monotonic()
                threads.start()
                time.sleep(3)
            threads.join()
            seconds = time.monotonic() - began

    assert calls == ["1000.theirs"] * waiting
    assert len(set(readers.threads)) == 1
    # Up to eight a second, after the first few that come quicker.
    assert 3 <= len(readers.threads) <= 15 + 8 * seconds
    assert fleet.zoho.count("refresh") == 0
