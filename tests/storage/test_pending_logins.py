"""Logins whose save was kept through an outage: told once, when they are written.

The outages are real: the server's process is killed, and started again on the same documents.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from tests.failures import fails
from tests.faults.documents import documents
from tests.refresh.callers import CLIENT, Call, ask, driving, wait_until
from tests.tokens import full, make_token
from tests.waiting import eventually
from zoho_mongo_store import MongoTokenStore, TokenEvent
from zoho_mongo_store.model.document import now
from zoho_mongo_store.model.login_state import LOGIN_REQUIRED_FIELDS, login_required_fields
from zoho_mongo_store.storage.pending_writer import PendingWriter
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

ADA = "ada@example.com:1"
AWAY = "save_token failed: MongoDB cannot be reached"
LOGINS = ("login", "login_required", "login_restored")


class Told:
    """What the application is told."""

    def __init__(self) -> None:
        self.events: list[TokenEvent] = []

    def __call__(self, event: TokenEvent) -> None:
        self.events.append(event)

    def logins(self) -> list[tuple[str, str | None]]:
        """Which events of logins, and of whom."""
        return [(one.name, one.user_name) for one in self.events if one.name in LOGINS]

    def is_over(self) -> bool:
        """Whether the outage is."""
        return any(event.name == "outage_ended" for event in self.events)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def store(server: LocalMongo, told: Told) -> Iterator[MongoTokenStore]:
    with MongoTokenStore(server.uri, timeout=2, on_event=told) as made:
        made.ensure_indexes()
        yield made


@pytest.fixture(params=["acknowledged at once", "acknowledged at the third try"])
def acknowledging(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the majority has what was written at once; else it is written again."""
    acknowledge = PendingWriter._acknowledge
    failing = iter(() if "once" in request.param else (1, 2))

    def late(self: PendingWriter, *arguments: Any) -> None:
        if next(failing, None) is not None:
            raise AutoReconnect("the connection broke")
        acknowledge(self, *arguments)

    monkeypatch.setattr(PendingWriter, "_acknowledge", late)


def let_login_be_required(store: MongoTokenStore) -> None:
    """Store a token whose login is over."""
    stored = store._tokens.save({"user_name": ADA, "refresh_token": "1000.dead", "id": "7"})
    required = login_required_fields(stored, "request", "invalid_code", now())
    assert store._tokens.begin_login_required(stored, required)


def save_through_an_outage(server: LocalMongo, store: MongoTokenStore, **changes: Any) -> None:
    server.kill()
    with fails(AWAY):
        store.save_token(full(**changes))
    server.start()


def check_not_required(server: LocalMongo) -> None:
    (document,) = documents(server.uri)
    assert document["refresh_token"] != "1000.dead"
    assert set(LOGIN_REQUIRED_FIELDS).isdisjoint(document)


@pytest.mark.usefixtures("acknowledging")
def test_a_first_login_is_told_once(server: LocalMongo, store: MongoTokenStore, told: Told) -> None:
    save_through_an_outage(server, store)

    assert eventually(told.is_over)
    store.save_token(full(access_token="1000.next"))
    assert told.logins() == [("login", ADA)]
    names = [event.name for event in told.events]
    assert names.index("save_written") < names.index("login")


@pytest.mark.usefixtures("acknowledging")
def test_a_login_that_was_required_is_told_once(
    server: LocalMongo, store: MongoTokenStore, told: Told
) -> None:
    let_login_be_required(store)
    told.events.clear()

    save_through_an_outage(server, store, refresh_token="1000.new")

    assert eventually(told.is_over)
    assert told.logins() == [("login_restored", ADA)]
    check_not_required(server)
    store.save_token(full(access_token="1000.next", refresh_token="1000.new"))
    assert told.logins() == [("login_restored", ADA)]


def test_a_save_that_is_no_login_is_not_told_as_one(
    server: LocalMongo, store: MongoTokenStore, told: Told
) -> None:
    """Of a token whose login is good, and of one whose login is over and stays so."""
    store.save_token(full())
    let_login_be_required(store)
    store.save_token(full(user_name="bob", refresh_token="1000.bob", access_token="1000.b"))
    told.events.clear()

    server.kill()
    for again in ({"access_token": "1000.b2"}, {"refresh_token": "1000.dead"}):
        name = ADA if "refresh_token" in again else "bob"
        with fails(AWAY):
            store.save_token(make_token(user_name=name, **again))
    server.start()

    assert eventually(told.is_over)
    assert [event.name for event in told.events].count("save_written") == 2
    assert told.logins() == []


def fresh(store: MongoTokenStore) -> str:
    """Nothing is stored of the user."""
    del store
    return "login"


def required(store: MongoTokenStore) -> str:
    """The stored login is over."""
    let_login_be_required(store)
    return "login_restored"


def replaced(store: MongoTokenStore) -> str:
    """The stored login is good, as far as anybody knows."""
    store.save_token(full(refresh_token="1000.dead", **CLIENT))
    return "login"


@pytest.mark.parametrize("before", [fresh, required, replaced])
def test_a_login_that_zoho_accepted_during_the_outage(
    server: LocalMongo,
    store: MongoTokenStore,
    told: Told,
    before: Callable[[MongoTokenStore], str],
) -> None:
    """The caller has its token; the SDK saves it once more, which is kept too."""
    expected = before(store)
    told.events.clear()
    calls: list[Call] = []
    with LoopbackZoho() as zoho, driving(store, zoho):
        zoho.configure(failure="hang", failures=1)
        login = {"grant_token": zoho.grant(), "user_name": ADA, **CLIENT}
        caller = threading.Thread(target=lambda: calls.append(ask(make_token(**login))))
        caller.start()
        wait_until(lambda: zoho.count("grant") == 1)
        server.kill()
        zoho.release()
        caller.join(60)
        assert zoho.is_live(calls[0].access_token or "")
    assert told.logins() == []

    server.start()

    assert eventually(told.is_over)
    assert told.logins() == [(expected, ADA)]
    check_not_required(server)
