"""Event handlers that raise, take their time or call the store: nothing is lost or deadlocks."""

from pathlib import Path
from typing import Any

import pytest

from tests.engines import SERVERS, Engine
from tests.refresh.callers import (
    CLIENT,
    Fleet,
    asked,
    by_id,
    driving,
    in_threads,
    total,
    wait_until,
)
from tests.refresh.told import EventLog, Hanging, Raising
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore, TokenEvent

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


@pytest.mark.parametrize("handler", [Raising, Hanging])
def test_a_bad_handler_costs_nobody_a_token(
    fleet: Fleet, tmp_path: Path, handler: type[EventLog]
) -> None:
    told = handler(str(tmp_path / "events"))
    fields = fleet.stored()

    outcomes = fleet.having(on_event=told).call_counted([by_id(fields)] * 4, threads=3)

    (access_token,) = {call.access_token for calls, _ in outcomes for call in calls}
    assert fleet.zoho.is_live(access_token or "")
    assert fleet.zoho.count("refresh") == asked(outcomes) == total(outcomes, "refreshed") == 1
    assert told.names() == ["refreshed"]


def test_a_handler_may_call_the_store(fleet: Fleet, engine: Engine) -> None:
    """Each method, also a find that is due for a refresh of its own."""
    first, second = fleet.stored(), fleet.stored()
    seen: list[Any] = []

    def handle(event: TokenEvent) -> None:
        if event.id != first["id"]:
            return
        found = store.find_token_by_id(str(event.id))
        assert found is not None
        store.save_token(make_token(id=event.id, api_domain=fleet.zoho.url))
        other = store.find_token_by_id(second["id"])
        assert other is not None
        seen.append((event.name, found.get_access_token(), other.get_token()))

    with (
        MongoTokenStore(engine.uri, database=fleet.database, timeout=30, on_event=handle) as store,
        driving(store, fleet.zoho),
    ):
        calls = in_threads(by_id(first), 4)
        wait_until(lambda: seen)

    ((name, access_token, others),) = seen
    assert {call.access_token for call in calls} == {access_token}
    assert name == "refreshed"
    assert fleet.zoho.is_live(others)
    assert fleet.zoho.count("refresh") == 2


def test_a_login_is_told_once(fleet: Fleet, tmp_path: Path) -> None:
    """A first one, also of many who bring it at once, and one that replaces a stored one."""
    told = EventLog(str(tmp_path / "events"))
    fleet = fleet.having(on_event=told)
    first = {"grant_token": fleet.zoho.grant(), "user_name": "eve", **CLIENT}
    second = {"grant_token": fleet.zoho.grant(), "user_name": "eve", **CLIENT}

    fleet.call([first] * 3, threads=2)
    fleet.call([first])
    assert told.names().count("login") == 1
    fleet.call([second] * 3, threads=2)

    assert told.names().count("login") == 2
    assert fleet.zoho.count("grant") == 2


def test_no_event_holds_a_secret(fleet: Fleet, tmp_path: Path) -> None:
    """Of a login, a refresh, a refusal and a login that is over."""
    told = EventLog(str(tmp_path / "events"))
    fleet = fleet.having(on_event=told)
    good, refused, bare = fleet.stored(), fleet.stored(client_secret="wrong"), fleet.stored()
    fleet.zoho.revoke(bare["refresh_token"])
    login = {"grant_token": fleet.zoho.grant(), "user_name": "eve", **CLIENT}

    fleet.call([by_id(good), by_id(refused), by_id(bare), login])

    assert {"refreshed", "refresh_refused"} <= set(told.names())
    text = Path(told.path).read_text()
    with fleet.store() as store:
        documents = list(store.collection.find())
    stored = [
        document[field]
        for document in documents
        for field in ("access_token", "refresh_token", "grant_token", "client_secret")
        if field in document
    ]
    assert len(stored) > 8
    assert [secret for secret in stored if secret in text] == []
