"""A token whose way to Zoho leads through the coordination."""

import copy
import pickle
from typing import Any

import pytest

from tests.tokens import contents, full, make_token
from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.refresh.intercept import intercept, mark_saved, pop_saved_mark
from zoho_mongo_store.sdk import OAuthToken

URL = "http://127.0.0.1:1/oauth/v2/token"


class Redeemed(list[tuple[OAuthToken, Redemption, str]]):
    """What was asked for; stands in for the coordination."""

    def __call__(self, token: OAuthToken, redemption: Redemption, url: str) -> None:
        """Take a note."""
        self.append((token, redemption, url))


@pytest.fixture
def redeemed() -> Redeemed:
    """What was asked for."""
    return Redeemed()


@pytest.fixture
def token(redeemed: Redeemed) -> OAuthToken:
    """An armed token."""
    armed = full()
    intercept(redeemed)(armed)
    return armed


def go_to_zoho(token: Any, redemption: Redemption, first: object) -> Any:
    """What the SDK does; ``first`` is the token up from 6, and the store in 5."""
    return getattr(token, redemption.method)(first, URL)


@pytest.mark.parametrize("redemption", Redemption)
def test_both_ways_to_zoho_lead_through_the_coordination(
    token: OAuthToken, redeemed: Redeemed, redemption: Redemption
) -> None:
    assert go_to_zoho(token, redemption, token) is token
    assert redeemed == [(token, redemption, URL)]


def test_the_sdk_that_passes_its_store(token: OAuthToken, redeemed: Redeemed) -> None:
    assert go_to_zoho(token, Redemption.REFRESH, object()) is token
    assert redeemed == [(token, Redemption.REFRESH, URL)]


def test_other_tokens_stay_as_they_are(redeemed: Redeemed) -> None:
    intercept(redeemed)(full())

    assert "refresh_access_token" not in vars(OAuthToken(access_token="1000.other"))
    assert OAuthToken.refresh_access_token.__qualname__ == "OAuthToken.refresh_access_token"


def test_a_deep_copy_is_armed_for_itself(token: OAuthToken, redeemed: Redeemed) -> None:
    copied = copy.deepcopy(token)

    go_to_zoho(copied, Redemption.REFRESH, object())

    assert contents(copied) == contents(token)
    ((redeemed_token, _, _),) = redeemed
    assert redeemed_token is copied


def test_a_shallow_copy_is_refreshed_for_itself(token: OAuthToken, redeemed: Redeemed) -> None:
    copied = copy.copy(token)

    go_to_zoho(copied, Redemption.REFRESH, copied)

    assert contents(copied) == contents(token)
    ((redeemed_token, _, _),) = redeemed
    assert redeemed_token is copied


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_token_comes_back_plain(token: OAuthToken, protocol: int) -> None:
    back = pickle.loads(pickle.dumps(token, protocol))  # noqa: S301 - dumped right here

    assert contents(back) == contents(token)
    assert back.refresh_access_token.__func__ is OAuthToken.refresh_access_token
    assert back.generate_access_token.__func__ is OAuthToken.generate_access_token
    assert back.refresh_access_token.__self__ is back


def test_printing_shows_no_secret(token: OAuthToken) -> None:
    shown = f"{token} {token!r} {token.refresh_access_token!r} {token.generate_access_token}"

    assert "1000." not in shown
    assert "client-secret" not in shown


def test_arming_twice_is_arming_once(token: OAuthToken, redeemed: Redeemed) -> None:
    intercept(redeemed)(token)

    go_to_zoho(token, Redemption.GRANT, token)

    assert len(redeemed) == 1


def test_a_settled_token_is_taken_once() -> None:
    token = full()
    mark_saved(token)

    assert pop_saved_mark(token)
    assert not pop_saved_mark(token)
    assert not [name for name in vars(token) if "settled" in name]


@pytest.mark.parametrize("change", ["set_access_token", "set_expires_in"])
def test_a_token_that_was_changed_is_not_settled(change: str) -> None:
    token = full()
    mark_saved(token)
    getattr(token, change)("1795529348999")

    assert not pop_saved_mark(token)


@pytest.mark.parametrize("other", [make_token(access_token="1000.x"), None, "token", 7])
def test_what_was_never_settled(other: object) -> None:
    assert not pop_saved_mark(other)
