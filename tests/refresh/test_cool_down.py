"""How long the fleet rests after failures, and how often it asks at most. Time is moved."""

import random
from typing import Any

import pytest

from tests.refresh.site import Site, stored
from zoho_mongo_store.refresh.lease import lease_key
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.refresh.policy import DEFAULT_POLICY
from zoho_mongo_store.sdk import REFUSED, OAuthToken

WINDOW = 600
LIMIT = 10


@pytest.mark.parametrize(
    ("failure", "rests"),
    [
        ("close", [1, 2, 4, 8, 16, 32, 64]),
        ("garbage", [1, 2, 4, 8, 16, 32, 64]),
        ("general_error", [60, 120, 240, 480, 600, 600]),
        ("throttle", [60, 120, 240, 480, 600, 600]),
    ],
)
def test_the_cool_down_doubles_and_ends(site: Site, failure: Any, rests: list[int]) -> None:
    for number, rest in enumerate(rests, start=1):
        assert f"asked again in {rest} s" in str(site.refresh(failure=failure))
        assert site.asked() == number
        site.advance(rest - 0.1)
        error = site.refresh()
        assert "asked again in 1 s" in str(error)
        assert site.asked() == number
        site.advance(0.2)

    assert site.refresh(failure=None) is None
    assert site.asked() == len(rests) + 1


@pytest.mark.parametrize(("failure", "rest"), [("close", 1), ("throttle", 60)])
def test_success_makes_the_next_failure_a_first_one(site: Site, failure: Any, rest: int) -> None:
    for _ in range(3):
        site.refresh(failure=failure)
        site.advance(WINDOW)
    assert site.refresh(failure=None) is None

    assert site.refresh(failure=failure) is not None
    site.advance(rest + 0.1)

    assert site.refresh(failure=None) is None


def test_a_refusal_after_network_faults_is_a_first_one(site: Site) -> None:
    for _ in range(3):
        site.refresh(failure="close")
        site.advance(10)
    site.refresh(failure="throttle")

    site.advance(60.1)

    assert site.refresh(failure=None) is None


def test_ten_in_ten_minutes_and_then_no_more(site: Site) -> None:
    for _ in range(LIMIT):
        assert site.refresh() is None
        site.advance(1)

    error = site.refresh()

    assert error is not None
    assert error.code == REFUSED
    assert "limit of 10 in 10 minutes" in str(error)
    assert site.asked() == LIMIT
    site.advance(WINDOW - 20)
    assert site.refresh() is not None
    site.advance(60)
    assert site.refresh() is None


def test_the_limit_is_not_explained_by_a_failure_that_is_over(site: Site) -> None:
    assert site.refresh(failure="close", failures=1) is not None
    site.advance(2)
    for _ in range(LIMIT - 1):
        assert site.refresh() is None

    assert "limit of 10 in 10 minutes" in str(site.refresh())


def test_each_refresh_token_has_a_limit_of_its_own(site: Site) -> None:
    for _ in range(LIMIT):
        site.refresh()
    other = site._replace(fields=stored(site.store, site.zoho))

    assert site.refresh() is not None
    assert other.refresh() is None


def test_a_refresh_that_was_not_needed_is_not_counted(site: Site) -> None:
    """One who comes late finds the token, and gives the lease back without a request."""
    old = [site.store.find_token_by_id(site.fields["id"]) for _ in range(LIMIT * 2)]
    assert site.refresh() is None

    for token in old:
        assert isinstance(token, OAuthToken)
        method: Any = token.refresh_access_token
        method(token, f"{site.zoho.url}/oauth/v2/token")

    assert site.asked() == 1
    assert site.refresh() is None
    assert site.asked() == 2


@pytest.mark.parametrize("seed", range(6))
def test_never_more_than_ten_in_any_ten_minutes(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    failures = [None, "close", "garbage", "general_error", "throttle"]
    for _ in range(120):
        site.refresh(failure=chance.choice(failures))
        site.advance(chance.choice([0, 0.5, 1.5, 5, 30, 61]))

    times = [request.time for request in site.zoho.requests()]
    assert len(times) > LIMIT
    for earlier, later in zip(times, times[LIMIT:], strict=False):
        assert later - earlier >= WINDOW


def test_requests_whose_outcome_is_unknown_count_too(site: Site) -> None:
    collection = site.store.collection.database.get_collection(
        "oauthtoken.leases", site.store.collection.codec_options
    )
    leases = Leases(lambda: collection, 30, DEFAULT_POLICY)
    key = lease_key("refresh_token", site.fields["refresh_token"])
    for _ in range(LIMIT):
        lease = leases.acquire(key, "other request", site.time())
        assert lease is not None
        leases.release(lease, counted=True)

    error = site.refresh()

    assert "limit of 10 in 10 minutes" in str(error)
    assert site.asked() == 0
