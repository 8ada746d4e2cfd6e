"""A login that is over is known, told once, and not asked for again. Time is moved."""

from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import StoreMaker
from tests.refresh.callers import CLIENT
from tests.refresh.site import Site
from tests.tokens import make_token
from zoho_mongo_store import LoginRequiredError, RefreshPausedError, RefreshPolicy, TokenEvent

REFUSAL_COOL_DOWN = 60
HOUR = 3600


@pytest.fixture
def events() -> list[TokenEvent]:
    """What the stores of ``told`` tell."""
    return []


@pytest.fixture
def told(site: Site, make_store: StoreMaker, events: list[TokenEvent]) -> Site:
    """The site, with a store that tells its events."""
    return site._replace(store=make_store(on_event=events.append))


def named(events: list[TokenEvent], name: str) -> list[TokenEvent]:
    return [event for event in events if event.name == name]


def end_login(site: Site) -> None:
    """Revoke behind the store's back, and let the store find that out."""
    site.zoho.revoke(site.fields["refresh_token"])
    assert isinstance(site.refresh(), RefreshPausedError)
    site.advance(REFUSAL_COOL_DOWN + 1)
    assert isinstance(site.refresh(), LoginRequiredError)


def test_a_revoked_login_is_confirmed_once_and_never_asked_for_again(
    told: Site, make_store: StoreMaker, events: list[TokenEvent]
) -> None:
    end_login(told)

    for store in (told.store, make_store(on_event=events.append)):
        for _ in range(24):
            told.advance(HOUR)
            error = told._replace(store=store).refresh()
            assert isinstance(error, LoginRequiredError)
            assert "log in again" in str(error)
    assert told.asked() == 2
    [event] = named(events, "login_required")
    assert event.id == told.fields["id"]
    assert told.fields["refresh_token"] not in repr(events)


def test_before_it_is_confirmed_nobody_is_sent_to_the_login_page(told: Site) -> None:
    told.zoho.revoke(told.fields["refresh_token"])
    told.refresh()
    told.advance(REFUSAL_COOL_DOWN - 1)

    error = told.refresh()

    assert isinstance(error, RefreshPausedError)
    assert timedelta(0) < error.retry_after <= timedelta(seconds=2)
    assert told.asked() == 1


def test_a_login_with_another_refresh_token_ends_it(told: Site, events: list[TokenEvent]) -> None:
    end_login(told)
    token = make_token(id=told.fields["id"], refresh_token=told.zoho.refresh_token(), **CLIENT)

    told.store.save_token(token)

    assert told.refresh() is None
    assert told.asked() == 3
    [event] = named(events, "login_restored")
    assert event.id == told.fields["id"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("status", [200, 400])
def test_the_throttle_is_no_dead_login(told: Site, language: Any, status: Any) -> None:
    told.zoho.configure(failure="throttle", language=language, throttle_status=status)
    try:
        for number in range(1, 4):
            error = told.refresh()
            assert isinstance(error, RefreshPausedError)
            rest = REFUSAL_COOL_DOWN * 2 ** (number - 1)
            assert abs(error.retry_after.total_seconds() - rest) < 1
            assert told.asked() == number
            told.advance(rest + 1)
    finally:
        told.zoho.configure(failure=None, language="en", throttle_status=400)
    assert told.refresh() is None


def test_a_corrected_client_secret_is_tried_at_once(told: Site) -> None:
    wrong = make_token(id=told.fields["id"], **{**CLIENT, "client_secret": "wrong"})
    told.store.save_token(wrong)
    error = told.refresh()
    assert isinstance(error, RefreshPausedError)
    assert "client secret" in str(error)
    assert isinstance(told.refresh(), RefreshPausedError)
    assert told.asked() == 1

    told.store.save_token(make_token(id=told.fields["id"], **CLIENT))

    assert told.refresh() is None
    assert told.asked() == 2


def test_without_a_refresh_token_nothing_is_sent(told: Site, events: list[TokenEvent]) -> None:
    token = make_token(user_name="online", access_token="1000.a", expires_in="1000", **CLIENT)
    told.store.save_token(token)
    online = told._replace(fields={"id": token.get_id()})

    for _ in range(3):
        error = online.refresh()
        assert isinstance(error, LoginRequiredError)
        assert "access_type=offline" in str(error)

    assert told.zoho.requests() == []
    assert len(named(events, "login_required")) == 1


def test_expire_access_token_makes_the_next_use_refresh(told: Site) -> None:
    assert told.refresh() is None
    id = told.fields["id"]
    before = told.store.find_token_by_id(id)
    assert before is not None

    assert not told.store.expire_access_token(id, "another access token")
    assert told.store.expire_access_token(id, before.get_access_token())

    expired = told.store.find_token_by_id(id)
    assert expired is not None
    assert int(str(expired.get_expires_in())) < int(str(before.get_expires_in()))
    assert expired.get_token() != before.get_access_token()
    assert told.asked() == 2


@pytest.mark.parametrize("failure", ["hang", "hang_in_body", "drip"])
def test_a_silent_zoho_is_given_up_in_time(
    site: Site, make_store: StoreMaker, failure: Any
) -> None:
    policy = RefreshPolicy(request_timeout=timedelta(seconds=1))
    bounded = site._replace(store=make_store(refresh=policy))

    error = bounded.refresh(failure=failure)

    assert isinstance(error, RefreshPausedError)
    assert "within 1 s" in str(error)
    assert bounded.zoho.most_at_once(site.fields["refresh_token"]) == 1


def test_a_handler_that_raises_or_calls_the_store_loses_nothing(
    site: Site, make_store: StoreMaker
) -> None:
    seen: list[str] = []

    def handler(event: TokenEvent) -> None:
        seen.append(event.name)
        assert store.find_token_by_id(site.fields["id"]) is not None
        raise RuntimeError("1000.secret in a text")

    store = make_store(on_event=handler)

    assert site._replace(store=store).refresh() is None

    store.close()
    assert "refreshed" in seen
