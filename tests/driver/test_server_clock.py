"""How far a host's clock is from the server's, and what is too uncertain to act on."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from zoho_mongo_store.driver.server_clock import Clock, HostClock


def host_clock(ahead: float, answer_takes: float = 0) -> HostClock:
    """The clock of a host that is so many seconds ahead of its server."""

    def read() -> Clock:
        time.sleep(answer_takes)
        moment, began = datetime.now(UTC) - timedelta(seconds=ahead), time.monotonic()
        return lambda: moment + timedelta(seconds=time.monotonic() - began)

    return HostClock(read)


@pytest.mark.parametrize("seconds", [3600, -3600, 5, -5])
def test_a_wrong_clock_is_known(seconds: int) -> None:
    assert host_clock(seconds).ahead() == timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [0, 1.5, -1.5])
def test_a_little_is_nothing(seconds: float) -> None:
    assert host_clock(seconds).ahead() == timedelta(0)


def test_a_slow_answer_leaves_in_doubt_what_a_quick_one_shows() -> None:
    assert host_clock(2.4).ahead() == timedelta(seconds=2)
    assert host_clock(2.4, answer_takes=1.2).ahead() == timedelta(0)
    assert host_clock(3600, answer_takes=1.2).ahead() == timedelta(hours=1)
