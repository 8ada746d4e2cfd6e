"""Letting an access token expire that Zoho does not accept any more."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.engines import SERVERS, Engine
from tests.refresh.callers import Fields, Fleet, by_id
from tests.refresh.moved_documents import let_time_pass
from tests.refresh.test_dead_login import COOL_DOWN
from zoho_mongo_store.sdk import SDKException

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


def lively(fleet: Fleet) -> Fields:
    """The fields of a stored token that is good for an hour, as far as MongoDB knows."""
    moment = datetime.now(UTC) + timedelta(hours=1)
    refresh_token = fleet.zoho.refresh_token()
    return fleet.stored(
        refresh_token=refresh_token,
        access_token=fleet.zoho.access_token(refresh_token),
        expires_in=str(int(moment.timestamp() * 1000)),
    )


@pytest.mark.parametrize("names_it", [True, False])
def test_the_next_use_refreshes_once_for_the_fleet(fleet: Fleet, names_it: bool) -> None:
    fields = lively(fleet)
    fleet.zoho.expire(fields["access_token"])
    with fleet.store() as store:
        arguments = (fields["access_token"],) if names_it else ()
        assert store.expire_access_token(fields["id"], *arguments)

    calls = fleet.call([by_id(fields)] * 4, threads=3)

    (access_token,) = {call.access_token for call in calls}
    assert fleet.zoho.is_live(access_token or "")
    assert fleet.zoho.count("refresh") == 1


def test_another_access_token_than_the_stored_one_changes_nothing(fleet: Fleet) -> None:
    fields = lively(fleet)
    with fleet.store() as store:
        before = store.collection.find_one({})
        assert not store.expire_access_token(fields["id"], "1000.an older one")
        assert not store.expire_access_token("unknown")
        assert store.collection.find_one({}) == before

    (call,) = fleet.call([by_id(fields)])

    assert call.access_token == fields["access_token"]
    assert fleet.zoho.count("refresh") == 0


def test_of_many_who_see_the_answer_one_lets_it_expire(fleet: Fleet) -> None:
    fields = lively(fleet)
    with fleet.store() as store:
        assert store.expire_access_token(fields["id"], fields["access_token"])
        (call,) = fleet.call([by_id(fields)])
        assert not store.expire_access_token(fields["id"], fields["access_token"])

    (again,) = fleet.call([by_id(fields)])

    assert again.access_token == call.access_token
    assert fleet.zoho.count("refresh") == 1


def test_it_lets_a_dead_login_be_asked_for_once_more(fleet: Fleet, engine: Engine) -> None:
    fleet.zoho.configure(delay=0, failure="invalid_code", failures=2)
    fields = fleet.stored()
    for _ in range(2):
        fleet.call([by_id(fields)])
        let_time_pass(engine.client, fleet.database, COOL_DOWN)
    (call,) = fleet.call([by_id(fields)])
    assert call.error == "LoginRequiredError"

    with fleet.store() as store:
        assert store.expire_access_token(fields["id"])
    (call,) = fleet.call([by_id(fields)])

    assert fleet.zoho.is_live(call.access_token or "")
    assert fleet.zoho.count("refresh") == 3


def test_an_id_is_checked(fleet: Fleet) -> None:
    with fleet.store() as store, pytest.raises(SDKException, match="id must be a string"):
        store.expire_access_token(7)  # type: ignore[arg-type]
