"""Zoho gives no token: all who wait know at once, and the fleet rests."""

import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.engines import SERVERS
from tests.refresh.callers import CLIENT, Call, Fleet, asked, by_id, total
from tests.tokens import make_token
from zoho_mongo_store.sdk import REFUSED
from zoho_mongo_store.testing import LoopbackZoho

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

# Longer than a test takes, also where the default is a second.
RESTING = timedelta(minutes=5)
# Constants.SAVE_TOKEN_ERROR: what the SDK calls whatever else goes wrong.
UNREACHABLE = "Exception in saving tokens"
# How Zoho fails, and what the SDK makes of it.
FAILURES: dict[str, tuple[dict[str, Any], str, str]] = {
    "throttled with 400": ({"failure": "throttle", "throttle_status": 400}, REFUSED, "Denied"),
    "throttled with 200": ({"failure": "throttle", "throttle_status": 200}, REFUSED, "Denied"),
    "throttled in Chinese": (
        {"failure": "throttle", "language": "zh", "throttle_status": 200},
        REFUSED,
        "拒绝访问",
    ),
    "wrong client": (
        {"failure": "invalid_client", "refusal_status": 400},
        REFUSED,
        "check the client id",
    ),
    "invalid code": ({"failure": "invalid_code"}, REFUSED, "belongs to another data centre"),
    "garbage": ({"failure": "garbage"}, UNREACHABLE, "not JSON (HTTP status 200)"),
    "server error": ({"failure": "server_error"}, UNREACHABLE, "not JSON (HTTP status 502)"),
    "closed connection": ({"failure": "close"}, UNREACHABLE, "Remote end closed"),
    "reset connection": ({"failure": "reset"}, UNREACHABLE, "Connection reset"),
}


def check_all_failed(calls: list[Call], code: str, message: str) -> None:
    """All got the same kind of error at about the same time, long before a lease runs out."""
    assert [call.access_token for call in calls if call.access_token] == []
    assert {(call.error, call.code) for call in calls} == {("RefreshPausedError", code)}
    assert all(message in (call.message or "") for call in calls)
    # A second is promised, twenty are a lease; the rest is for a machine that has much to do.
    ends = [call.ended for call in calls]
    assert max(ends) - min(ends) < 12


@pytest.mark.parametrize("failure", FAILURES)
def test_all_who_wait_get_the_error_of_the_one_request(fleet: Fleet, failure: str) -> None:
    answers, code, message = FAILURES[failure]
    fleet.zoho.configure(**answers)
    fleet = fleet.leasing(network_cool_down=RESTING)
    fields = fleet.stored()

    outcomes = fleet.call_counted([by_id(fields)] * 5, threads=4)

    calls = [call for calls, _ in outcomes for call in calls]
    check_all_failed(calls, code, message)
    assert fleet.zoho.count("refresh") == 1
    assert asked(outcomes) == total(outcomes, "refused", "unreachable") == 1
    assert total(outcomes, "paused") == len(calls) - 1
    with fleet.store() as store:
        stored = store.find_token_by_id(fields["id"])
    assert stored is not None
    assert stored.get_access_token() == fields["access_token"]
    assert stored.get_expires_in() == fields["expires_in"]


def test_who_waited_for_a_failure_does_not_ask_again(fleet: Fleet) -> None:
    """Not even when there is no cool-down that would keep it from that."""
    fleet.zoho.configure(failure="garbage", delay=8)
    fleet = fleet.leasing(network_cool_down=timedelta(0))
    fields = fleet.stored()

    calls = fleet.call([by_id(fields)] * 4, threads=3)

    check_all_failed(calls, UNREACHABLE, "not JSON")
    assert fleet.zoho.count("refresh") == 1


def test_an_unreachable_zoho(fleet: Fleet) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # Bound and not listening: nobody else gets the port, and it refuses connections.
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        fields = fleet.stored()
        away = replace(fleet, zoho=LoopbackZoho.at(url)).leasing(network_cool_down=RESTING)

        outcomes = away.call_counted([by_id(fields)] * 4, threads=4)

    calls = [call for calls, _ in outcomes for call in calls]
    check_all_failed(calls, UNREACHABLE, "Connection refused")
    assert asked(outcomes) == 1


@pytest.mark.parametrize("failure", ["throttled with 400", "throttled in Chinese", "garbage"])
def test_other_processes_fail_at_once_in_the_cool_down(fleet: Fleet, failure: str) -> None:
    answers, code, message = FAILURES[failure]
    fleet.zoho.configure(**answers)
    fleet = fleet.leasing(network_cool_down=RESTING)
    fields = fleet.stored()
    fleet.call([by_id(fields)])
    fleet.zoho.configure(failure=None)

    outcomes = fleet.call_counted([by_id(fields)] * 3, threads=3)

    calls = [call for calls, _ in outcomes for call in calls]
    check_all_failed(calls, code, message)
    assert all("asked again in" in (call.message or "") for call in calls)
    assert fleet.zoho.count("refresh") == 1
    rest = 60 if code == REFUSED else RESTING.total_seconds()
    assert all(rest - 50 < (call.retry_after or 0) <= rest for call in calls)
    assert total(outcomes, "paused") == len(calls)
    assert asked(outcomes) == 0


def test_a_login_ends_the_cool_down(fleet: Fleet) -> None:
    fleet.zoho.configure(failure="throttle", failures=1)
    fields = fleet.stored()
    fleet.call([by_id(fields)])
    assert fleet.call([by_id(fields)])[0].code == REFUSED
    again = make_token(
        **{**CLIENT, "user_name": fields["user_name"], "refresh_token": fleet.zoho.refresh_token()}
    )
    with fleet.store() as store:
        store.save_token(again)
    assert again.get_id() == fields["id"]

    calls = fleet.call([by_id(fields)] * 3)

    assert [call.message for call in calls if call.message] == []
    assert fleet.zoho.count("refresh", fields["refresh_token"]) == 1
    assert fleet.zoho.count("refresh", again.get_refresh_token()) == 1


def test_another_tokens_failure_is_not_this_ones(fleet: Fleet) -> None:
    fleet.zoho.configure(failure="invalid_code", failures=1)
    failed, other = fleet.stored(), fleet.stored()
    fleet.call([by_id(failed)])

    (call,) = fleet.call([by_id(other)])

    assert call.access_token


def test_no_error_shows_a_secret(fleet: Fleet, capfd: pytest.CaptureFixture[str]) -> None:
    fleet = fleet.leasing(network_cool_down=RESTING)
    seen = ""
    secrets = [CLIENT["client_secret"]]
    for answers, _, _ in FAILURES.values():
        fields = fleet.stored()
        secrets += [fields["refresh_token"], fields["access_token"]]
        fleet.zoho.configure(delay=0, **answers)
        seen += "".join(str(call) for call in fleet.call([by_id(fields)], threads=2))

    seen += "".join(capfd.readouterr())
    assert seen.count("message=") == 2 * len(FAILURES)
    assert [secret for secret in secrets if secret in seen.replace("access_token=None", "")] == []
