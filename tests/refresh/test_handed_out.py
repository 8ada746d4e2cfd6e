"""A token that a store handed out is used like any other."""

import copy
import pickle
from collections.abc import Callable

import pytest

from tests.engines import SERVERS
from tests.processes import in_processes
from tests.refresh.callers import Call, Fleet, ask, driving
from tests.tokens import contents, make_token
from zoho_mongo_store.sdk import OAuthToken

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

COPIES: dict[str, Callable[[OAuthToken], OAuthToken]] = {
    "itself": lambda token: token,
    "deep copy": copy.deepcopy,
    "shallow copy": copy.copy,
    "pickled": lambda token: pickle.loads(pickle.dumps(token)),  # noqa: S301 - dumped right here
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_refreshed_and_the_original_stays(fleet: Fleet, name: str) -> None:
    fleet.zoho.configure(delay=0)
    fields = fleet.stored()
    with fleet.store() as store, driving(store, fleet.zoho):
        original = store.find_token(make_token(user_name=fields["user_name"]))
        assert original is not None
        copied = COPIES[name](original)
        assert contents(copied) == contents(original) == fields

        call = ask(copied)

        assert call.access_token == ask(original).access_token
        assert fleet.zoho.is_live(call.access_token or "")
        assert fleet.zoho.count("refresh") == 1


@pytest.mark.parametrize("name", COPIES)
def test_its_methods_can_be_called_by_hand(fleet: Fleet, name: str) -> None:
    """As SDKs from 6 on pass the token, also for a copy."""
    fleet.zoho.configure(delay=0)
    fields = fleet.stored()
    with fleet.store() as store, driving(store, fleet.zoho):
        original = store.find_token_by_id(fields["id"])
        assert original is not None
        other = COPIES[name](store.find_token_by_id(fields["id"]) or original)
        # A plain one goes to Zoho past the coordination, so without saving.
        if name != "pickled":
            refresh(other, fleet)
            assert other.get_access_token() != fields["access_token"]
            refresh(original, fleet)
            assert original.get_access_token() == other.get_access_token()
    assert fleet.zoho.count("refresh") == (name != "pickled")


def refresh(token: OAuthToken, fleet: Fleet) -> None:
    """Refresh by hand."""
    method = getattr(token, "refresh_access_token")  # noqa: B009 - as the SDK calls it
    method(token, f"{fleet.zoho.url}/oauth/v2/token")


def use(fleet: Fleet, token: OAuthToken) -> Call:
    """Use a token that came from another process."""
    with fleet.store() as store, driving(store, fleet.zoho):
        return ask(token)


def test_it_is_used_in_other_processes(fleet: Fleet) -> None:
    fields = fleet.stored()
    with fleet.store() as store:
        token = store.find_token_by_id(fields["id"])

    calls = in_processes(use, [(fleet, token)] * 4)

    (access_token,) = {call.access_token for call in calls}
    assert fleet.zoho.is_live(access_token)
    assert fleet.zoho.count("refresh") == 1


def test_it_is_printed_without_a_secret(fleet: Fleet) -> None:
    fields = fleet.stored()
    with fleet.store() as store:
        token = store.find_token_by_id(fields["id"])
        assert token is not None
        shown = f"{token} {token!r} {store!r} {token.refresh_access_token!r}"

    for secret in ("refresh_token", "access_token", "client_secret"):
        assert fields[secret] not in shown


def test_looking_at_an_expired_token_asks_nobody(fleet: Fleet) -> None:
    fields = fleet.stored()
    with fleet.store() as store, driving(store, fleet.zoho):
        by_id = store.find_token_by_id(fields["id"])
        by_name = store.find_token(make_token(user_name=fields["user_name"]))
        (listed,) = store.get_tokens()
        leases = store.collection.database["oauthtoken.leases"].find_one()

    assert contents(by_id) == contents(by_name) == contents(listed) == fields
    assert leases is None
    assert fleet.zoho.count("refresh") == 0
