"""A host whose clock is an hour ahead, or behind: it harms nobody, not even itself."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from logging.handlers import BufferingHandler
from typing import Any

import pytest

from tests.engines import SERVERS, Engine
from tests.processes import in_processes
from tests.refresh.callers import CLIENT, Call, Fields, Fleet, ask, by_id, driving
from tests.refresh.wrong_clock import set_clock
from tests.sent_commands import listening
from tests.tokens import contents, make_token
from zoho_mongo_store import CachePolicy, MongoTokenStore

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

HOUR = 3600
SKEWS = (-HOUR, HOUR)
WARNINGS = {
    -HOUR: ["The clock of this host is 3600 s behind MongoDB's: synchronize it with NTP"],
    HOUR: ["The clock of this host is 3600 s ahead of MongoDB's: synchronize it with NTP"],
    0: [],
}


@pytest.fixture
def fleet(fleet: Fleet) -> Fleet:
    """A fleet whose Zoho answers at once."""
    fleet.zoho.configure(delay=0)
    return fleet


@pytest.fixture
def lifetime(engine: Engine, database: str) -> Callable[[str | None], float]:
    """Tells how many seconds a user's access token is good for, as it is stored."""

    def read(user_name: str | None) -> float:
        document = engine.client[database].oauthtoken.find_one({"user_name": user_name})
        assert document is not None
        expiry: datetime = document["expiry_time"].replace(tzinfo=UTC)
        return expiry.timestamp() - time.time()

    return read


def stored(fleet: Fleet, seconds: float) -> Fields:
    """The fields of a stored token that is good for so many seconds."""
    refresh_token = fleet.zoho.refresh_token()
    return fleet.stored(
        refresh_token=refresh_token,
        access_token=fleet.zoho.access_token(refresh_token),
        expires_in=in_seconds(seconds),
    )


def in_seconds(seconds: float) -> str:
    """The SDK's way to say when a token expires, by the clock of this process."""
    return str(int((time.time() + seconds) * 1000))


def call_twice(skew: float, fleet: Fleet, fields: Fields) -> tuple[list[Call], list[str]]:
    """Two calls of ``get_token`` on a host whose clock is so wrong, and what it was warned of."""
    set_clock(skew)
    log = BufferingHandler(100)
    logging.getLogger("zoho_mongo_store").addHandler(log)
    with fleet.store() as store, driving(store, fleet.zoho):
        calls = [ask(make_token(**fields)) for _ in range(2)]
    warnings = [one for one in log.buffer if one.levelno == logging.WARNING]
    return calls, [one.getMessage() for one in warnings]


def expired(fleet: Fleet) -> Fields:
    """What a host knows whose token has expired: the user's name, and the client."""
    return {**CLIENT, "user_name": fleet.stored()["user_name"]}


def logging_in(fleet: Fleet) -> Fields:
    """What a host knows that logs a user in."""
    return {**CLIENT, "user_name": "grace", "grant_token": fleet.zoho.grant()}


@pytest.mark.parametrize("skew", SKEWS)
@pytest.mark.parametrize("way", [expired, logging_in])
def test_a_new_token_expires_by_mongodbs_clock(
    fleet: Fleet,
    lifetime: Callable[[str | None], float],
    way: Callable[[Fleet], Fields],
    skew: float,
) -> None:
    """Wherever it is used next it is good for the hour that Zoho stated, and no longer."""
    fields = way(fleet)

    ((wrong, warnings),) = in_processes(call_twice, [(skew, fleet, fields)])
    ((right, no_warnings),) = in_processes(call_twice, [(0, fleet, fields)])

    assert {call.message for call in [*wrong, *right]} == {None}
    assert len({call.access_token for call in [*wrong, *right]}) == 1
    assert fleet.zoho.count("refresh") + fleet.zoho.count("grant") == 1
    assert HOUR - 120 < lifetime(fields["user_name"]) <= HOUR
    assert (warnings, no_warnings) == (WARNINGS[int(skew)], [])


# Seconds that a token is good for, and whether it is refreshed, and whether that is waited for.
@pytest.mark.parametrize(
    ("seconds", "is_refreshed", "is_waited_for"),
    [(-60, True, True), (45, True, False), (600, False, False)],
    ids=["expired", "soon", "good"],
)
def test_each_host_refreshes_in_time(
    fleet: Fleet, seconds: float, is_refreshed: bool, is_waited_for: bool
) -> None:
    known = [stored(fleet, seconds) for _ in SKEWS]

    outcomes = in_processes(
        call_twice,
        [(skew, fleet, by_id(fields)) for skew, fields in zip(SKEWS, known, strict=True)],
    )

    for fields, (calls, _) in zip(known, outcomes, strict=True):
        assert (calls[0].access_token != fields["access_token"]) is is_waited_for
        assert fleet.zoho.count("refresh", fields["refresh_token"]) == int(is_refreshed)


def call_with_cache(skew: float, fleet: Fleet, fields: Fields) -> tuple[set[Any], list[str]]:
    """The access tokens, and the commands for the last five of seven calls on such a host."""
    set_clock(skew)
    cache = CachePolicy(max_age=timedelta(minutes=10))
    options: Fields = {"database": fleet.database, "timeout": 30, "cache": cache}
    with (
        listening(fleet.uri) as (client, commands),
        MongoTokenStore(client=client, **options) as store,
        driving(store, fleet.zoho),
    ):
        calls = [ask(make_token(**fields)) for _ in range(2)]
        commands.clear()
        calls += [ask(make_token(**fields)) for _ in range(5)]
        names = [name for name in commands.names if name == "find"]
    return {call.access_token for call in calls}, names


def test_the_cache_holds_a_token_until_it_is_due(fleet: Fleet) -> None:
    known = [stored(fleet, -60) for _ in SKEWS]
    hosts = list(zip(SKEWS, known, strict=True))

    refreshed = in_processes(call_with_cache, [(skew, fleet, by_id(one)) for skew, one in hosts])

    for fields, (access_tokens, finds) in zip(known, refreshed, strict=True):
        assert len(access_tokens) == 1
        assert fields["access_token"] not in access_tokens
        assert finds == []
        assert fleet.zoho.count("refresh", fields["refresh_token"]) == 1


def test_the_cache_holds_no_token_that_is_due(fleet: Fleet) -> None:
    """An early refresh that fails leaves it, and each find looks for a newer one."""
    fleet.zoho.configure(failure="invalid_code")
    known = [stored(fleet, 45) for _ in SKEWS]
    hosts = list(zip(SKEWS, known, strict=True))

    due = in_processes(call_with_cache, [(skew, fleet, by_id(one)) for skew, one in hosts])

    for fields, (access_tokens, finds) in zip(known, due, strict=True):
        assert access_tokens == {fields["access_token"]}
        assert len(finds) >= 5


def save_and_find(skew: float, fleet: Fleet, name: str) -> list[Fields]:
    """What an application saves on such a host, and finds again in three ways."""
    set_clock(skew)
    token = make_token(user_name=name, access_token=f"A {name}", expires_in=in_seconds(1800))
    with fleet.store() as store:
        store.save_token(token)
        found = [
            store.find_token(make_token(user_name=name)),
            store.find_token_by_id(token.get_id() or ""),
            *(one for one in store.get_tokens() if one.get_id() == token.get_id()),
        ]
    return [contents(one) for one in [token, *found]]


def test_what_an_application_saves_is_converted(
    fleet: Fleet, lifetime: Callable[[str | None], float]
) -> None:
    outcomes = in_processes(save_and_find, [(skew, fleet, f"user {skew}") for skew in SKEWS])

    for skew, (saved, *found) in zip(SKEWS, outcomes, strict=True):
        assert found == [saved] * 3
        assert 1800 - 120 < lifetime(f"user {skew}") <= 1801
