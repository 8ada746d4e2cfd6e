"""A signal whose handler raises while a caller waits for a refresh: it is no failure of Zoho's."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.engines import SERVERS
from tests.refresh.callers import Fields, Fleet, ask, by_id, driving, wait_until
from tests.test_signals import Handler, TimeIsUpError, handling
from tests.tokens import make_token
from zoho_mongo_store.refresh.background import start
from zoho_mongo_store.sdk import SDKException

pytestmark = [
    pytest.mark.parametrize("engine", SERVERS, indirect=True),
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signals"),
]


@contextmanager
def time_limit(seconds: float) -> Iterator[TimeIsUpError]:
    """A task queue's: what is raised in the block after that time."""
    error = TimeIsUpError(f"{seconds} s")
    with handling(Handler(error)):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield error


def check_goes_on(fleet: Fleet, fields: Fields, requests: int) -> None:
    """The next caller has a token, by as many requests in all."""
    call = ask(make_token(**by_id(fields)))
    assert fleet.zoho.is_live(call.access_token or ""), call
    assert fleet.zoho.count("refresh", fields["refresh_token"]) == requests


def test_the_caller_whose_process_asks_zoho(fleet: Fleet) -> None:
    """The request goes on, and what it brings is there for the next one."""
    fleet.zoho.configure(failure="hang", failures=1)
    fields = fleet.stored()
    with fleet.store() as store, driving(store, fleet.zoho):
        token = make_token(**by_id(fields))
        with time_limit(1) as error, pytest.raises(TimeIsUpError) as caught:
            token.get_token()
        assert caught.value is error
        wait_until(lambda: fleet.zoho.count("refresh") == 1)
        fleet.zoho.release()
        check_goes_on(fleet, fields, requests=1)
    counts = store.refresh_stats()
    assert (counts.refreshed, counts.unreachable, counts.paused, counts.failed) == (1, 0, 0, 0)


def test_a_caller_who_waits_for_another_process(fleet: Fleet) -> None:
    fleet.zoho.configure(failure="hang", failures=1)
    fields = fleet.stored()
    with fleet.store() as store, fleet.store() as other, driving(store, fleet.zoho):
        held: Any = other.find_token_by_id(fields["id"])
        url = f"{fleet.zoho.url}/oauth/v2/token"
        holder = threading.Thread(target=lambda: held.refresh_access_token(held, url))
        holder.start()
        wait_until(lambda: fleet.zoho.count("refresh") == 1)
        with time_limit(1) as error, pytest.raises(TimeIsUpError) as caught:
            make_token(**by_id(fields)).get_token()
        assert caught.value is error
        fleet.zoho.release()
        holder.join()
        check_goes_on(fleet, fields, requests=1)


@pytest.mark.parametrize("moment", ["before its thread runs", "once its thread runs"])
def test_a_caller_who_is_about_to_begin(
    fleet: Fleet, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits afterwards for an attempt that nobody makes."""
    fields = fleet.stored()

    def interrupted(function: Any) -> None:
        if moment == "once its thread runs":
            start(function)
        signal.raise_signal(signal.SIGALRM)

    with fleet.store() as store, driving(store, fleet.zoho):
        with handling(Handler(TimeIsUpError())), monkeypatch.context() as patch:
            patch.setattr("zoho_mongo_store.refresh.coordinator.start", interrupted)
            with pytest.raises(TimeIsUpError):
                make_token(**by_id(fields)).get_token()
        check_goes_on(fleet, fields, requests=1)
        wait_until(lambda: not store._coordinator._running)  # type: ignore[union-attr]


def test_an_api_call_of_the_sdk_has_it_as_its_cause(fleet: Fleet) -> None:
    """``CommonAPIHandler.api_call`` wraps all that ``authenticate`` raises, SDKExceptions aside."""
    from zohocrmsdk.src.com.zoho.crm.api.users import UsersOperations

    fleet.zoho.configure(failure="hang", failures=1)
    fields = fleet.stored()
    with fleet.store() as store, driving(store, fleet.zoho):
        from zoho_mongo_store.sdk import Initializer

        initializer: Any = Initializer.get_initializer()
        initializer.token = make_token(**by_id(fields))
        with time_limit(1) as error, pytest.raises(SDKException) as caught:
            UsersOperations().get_users()
        assert caught.value.cause is error
        fleet.zoho.release()
