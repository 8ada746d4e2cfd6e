"""What the holder of a lease does with Zoho's answer, whatever happens to it on the way."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from tests.refresh.callers import CLIENT, Fields, ask, by_id, driving
from tests.refresh.moved_time import MovedTime
from tests.tokens import contents, make_token
from tests.waiting import eventually
from zoho_mongo_store import MongoTokenStore, RefreshPausedError, RefreshPolicy
from zoho_mongo_store.refresh import acquiring
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.sdk import OAuthToken
from zoho_mongo_store.testing import LoopbackZoho

StoreMaker = Callable[..., MongoTokenStore]
LEASE = timedelta(seconds=20)
ASKING = "zoho_mongo_store.refresh.asking"


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> MovedTime:
    """The server's time."""
    moved = MovedTime()
    monkeypatch.setattr("zoho_mongo_store.storage.repository.server_clock", lambda *_: moved)
    return moved


@pytest.fixture(autouse=True)
def driven(store: MongoTokenStore, zoho: LoopbackZoho) -> Iterator[None]:
    """The SDK, driven by the store, and a Zoho that answers at once."""
    zoho.configure(delay=0)
    with driving(store, zoho):
        yield


def expired(store: MongoTokenStore, zoho: LoopbackZoho, **changes: Any) -> Fields:
    """The fields of a stored token that has expired."""
    fields = {
        "user_name": "ada",
        "refresh_token": zoho.refresh_token(),
        "access_token": "expired",
        "expires_in": "1000",
        **CLIENT,
        **changes,
    }
    token = make_token(**fields)
    store.save_token(token)
    return {**fields, "id": token.get_id()}


def stored(store: MongoTokenStore, fields: Fields) -> Fields:
    """What is stored of the token now."""
    return contents(store.find_token_by_id(fields["id"]))


def refresh(token: OAuthToken, zoho: LoopbackZoho) -> None:
    """Refresh, as ``get_token`` does when the token has expired."""
    method: Any = token.refresh_access_token
    method(token, f"{zoho.url}/oauth/v2/token")


@pytest.mark.parametrize(
    "body",
    [
        {"access_token": "", "expires_in": 3600},
        {"access_token": None, "expires_in": 3600},
        {"access_token": 7, "expires_in": 3600},
        {"access_token": "1000.new"},
        {"access_token": "1000.new", "expires_in": "soon"},
        {"access_token": "1000.new", "expires_in": 10**15},
        {"access_token": "1000.new", "expires_in": 3600, "api_domain": ["x"]},
        [],
        "ok",
        None,
    ],
    ids=str,
)
def test_an_answer_that_is_no_token_is_a_failure(
    store: MongoTokenStore, zoho: LoopbackZoho, time: MovedTime, body: Any
) -> None:
    fields = expired(store, zoho)
    before = stored(store, fields)
    token = store.find_token_by_id(fields["id"])
    assert token is not None
    zoho.configure(failure="answer", answer=body, failures=1)
    with pytest.raises(RefreshPausedError):
        refresh(token, zoho)
    assert stored(store, fields) == contents(token) == before

    resting = ask(make_token(**by_id(fields)))
    assert "asked again in" in (resting.message or "")
    time.advance(61)
    assert zoho.is_live(ask(make_token(**by_id(fields))).access_token or "")


def away(*_: object, **__: object) -> None:
    """What every command does when MongoDB is away."""
    raise AutoReconnect("connection closed")


def test_zohos_reason_is_told_when_mongodb_is_away_too(
    store: MongoTokenStore, zoho: LoopbackZoho, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = expired(store, zoho)
    zoho.configure(failure="invalid_code")
    monkeypatch.setattr(Leases, "fail", away)

    assert "invalid_code" in (ask(make_token(**by_id(fields))).message or "")


@pytest.mark.parametrize(
    "broken",
    [
        f"{Leases.__module__}.Leases.extend",
        "zoho_mongo_store.storage.writing.compare_and_set_access_token",
    ],
)
def test_an_answer_survives_a_mongodb_that_is_away(
    store: MongoTokenStore,
    make_store: StoreMaker,
    zoho: LoopbackZoho,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    fields = expired(store, zoho)
    token = store.find_token_by_id(fields["id"])
    assert token is not None
    with monkeypatch.context() as patch:
        patch.setattr(broken, away)
        refresh(token, zoho)
    access_token = token.get_access_token()
    assert zoho.is_live(access_token or "")

    assert stored(store, fields)["access_token"] == access_token
    assert eventually(lambda: not store._tokens._pending)
    assert ask(make_token(**by_id(fields))).access_token == access_token
    assert stored(make_store(), fields)["access_token"] == access_token
    assert zoho.count("refresh") == 1


def test_without_mongodb_nobody_asks(
    store: MongoTokenStore, zoho: LoopbackZoho, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = expired(store, zoho)
    monkeypatch.setattr(Leases, "acquire", away)

    call = ask(make_token(**by_id(fields)))

    assert call.code == "TOKEN_STORE"
    assert "MongoDB cannot be reached" in (call.message or "")
    assert zoho.count("refresh") == 0


def test_a_holder_that_is_late_between_its_last_look_and_its_save(
    store: MongoTokenStore,
    make_store: StoreMaker,
    zoho: LoopbackZoho,
    monkeypatch: pytest.MonkeyPatch,
    time: MovedTime,
) -> None:
    fields = expired(store, zoho)
    other = make_store()
    newer: list[str | None] = []
    extend = Leases.extend

    def extend_and_stall(self: Leases, *arguments: Any) -> bool:
        held = extend(self, *arguments)
        if not newer:
            newer.append(None)
            time.advance(LEASE.total_seconds() + 1)
            with driving(other, zoho):
                newer[0] = ask(make_token(**by_id(fields))).access_token
        return held

    monkeypatch.setattr(Leases, "extend", extend_and_stall)

    call = ask(make_token(**by_id(fields)))

    assert zoho.count("refresh") == 2
    assert [call.access_token] == newer
    assert stored(store, fields)["access_token"] == newer[0]
    assert (store.refresh_stats().late, other.refresh_stats().took_over) == (1, 1)


def test_a_holder_that_is_late_with_its_first_save(
    store: MongoTokenStore,
    make_store: StoreMaker,
    zoho: LoopbackZoho,
    monkeypatch: pytest.MonkeyPatch,
    time: MovedTime,
) -> None:
    """Before the first save the user is looked up, at Zoho, which takes what time it likes."""
    fields = {"refresh_token": zoho.refresh_token(), **CLIENT}
    other = make_store()
    newer: list[str | None] = []

    def look_up(_: OAuthToken) -> str:
        if not newer:
            newer.append(None)
            time.advance(LEASE.total_seconds() + 1)
            with driving(other, zoho):
                newer[0] = ask(make_token(**fields)).access_token
        return "ada"

    monkeypatch.setattr(f"{ASKING}.user_name_of", look_up)

    call = ask(make_token(**fields))

    assert zoho.count("refresh") == 2
    assert [call.access_token] == newer
    assert [token.get_access_token() for token in store.get_tokens()] == newer


@pytest.mark.usefixtures("time")
def test_a_lease_that_was_purged_is_made_anew(store: MongoTokenStore, zoho: LoopbackZoho) -> None:
    fields = expired(store, zoho)
    zoho.configure(failure="throttle", failures=1)
    ask(make_token(**by_id(fields)))
    store.collection.database["oauthtoken.leases"].delete_many({})

    assert ask(make_token(**by_id(fields))).access_token


def test_a_waiter_whose_lease_is_purged_goes_on(
    store: MongoTokenStore, zoho: LoopbackZoho, time: MovedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = expired(store, zoho)
    leases = store.collection.database["oauthtoken.leases"]
    assert ask(make_token(**by_id(fields))).access_token
    store.collection.update_one({}, {"$set": {"expiry_time": time() - timedelta(hours=1)}})
    leases.update_one({}, {"$set": {"owner": "another", "until": time() + LEASE}})
    monkeypatch.setattr(acquiring, "pause", lambda *_: leases.delete_many({}))

    assert ask(make_token(**by_id(fields))).access_token
    assert zoho.count("refresh") == 2


def test_a_refresh_that_the_caller_forces(store: MongoTokenStore, zoho: LoopbackZoho) -> None:
    fields = expired(store, zoho)
    first = ask(make_token(**by_id(fields))).access_token
    token = store.find_token_by_id(fields["id"])
    assert token is not None

    refresh(token, zoho)

    assert token.get_access_token() not in (None, first)
    assert stored(store, fields)["access_token"] == token.get_access_token()
    assert zoho.count("refresh") == 2


def test_the_sdks_own_save_does_not_replace_a_newer_token(
    store: MongoTokenStore, make_store: StoreMaker, zoho: LoopbackZoho
) -> None:
    """After it got a token the SDK saves it; by then another may have got a newer one."""
    fields = expired(store, zoho)
    token, other = store.find_token_by_id(fields["id"]), make_store().find_token_by_id(fields["id"])
    assert token is not None
    assert other is not None
    refresh(token, zoho)
    refresh(other, zoho)
    assert other.get_access_token() == token.get_access_token()
    refresh(other, zoho)
    newer = stored(store, fields)

    store.save_token(token)

    assert stored(store, fields) == newer
    assert newer["access_token"] == other.get_access_token() != token.get_access_token()


def test_the_default_lease_is_what_the_tests_move_time_by() -> None:
    assert RefreshPolicy().lease == LEASE


def test_what_happens_is_logged_without_a_secret(
    store: MongoTokenStore, zoho: LoopbackZoho, time: MovedTime, caplog: pytest.LogCaptureFixture
) -> None:
    fields = expired(store, zoho)
    with caplog.at_level(logging.DEBUG, "zoho_mongo_store"):
        zoho.configure(failure="throttle", failures=1)
        ask(make_token(**by_id(fields)))
        time.advance(61)
        ask(make_token(**by_id(fields)))

    levels = [
        record.levelname for record in caplog.records if "clock of this host" not in record.message
    ]
    assert levels == ["INFO", "WARNING", "INFO"]
    assert fields["id"] in caplog.text
    secrets = [fields["refresh_token"], fields["client_secret"], fields["access_token"]]
    secrets.append(stored(store, fields)["access_token"])
    for record in caplog.records:
        assert [secret for secret in secrets[:2] if secret in record.getMessage()] == []
    assert secrets[-1] not in caplog.text
