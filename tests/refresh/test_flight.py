"""Single-flight within a process."""

import threading
from collections.abc import Callable

import pytest

from tests.refresh.callers import wait_until
from zoho_mongo_store.refresh.flight import Flight, Flights


@pytest.fixture
def background() -> Callable[[Callable[[], object]], threading.Thread]:
    """Starts something in a thread."""

    def start(function: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=function, daemon=True)
        thread.start()
        return thread

    return start


def test_the_first_flies_and_the_others_join() -> None:
    flights = Flights()

    first, is_own = flights.board("a")
    assert is_own
    assert flights.board("a") == (first, False)


def test_each_key_has_a_flight_of_its_own() -> None:
    flights = Flights()

    assert flights.board("a")[1]
    assert flights.board("b")[1]


def test_who_comes_after_the_flight_begins_another() -> None:
    flights = Flights()
    first, _ = flights.board("a")
    flights.leave("a", first)

    second, is_own = flights.board("a")

    assert is_own
    assert second is not first


def test_a_late_end_does_not_end_the_next_flight() -> None:
    flights = Flights()
    stuck, _ = flights.board("a")
    flights.leave("a", stuck)
    second, _ = flights.board("a")

    flights.leave("a", stuck)

    assert flights.board("a") == (second, False)


def test_of_many_threads_one_flies() -> None:
    flights = Flights()
    barrier = threading.Barrier(32)
    own: list[bool] = []

    def board() -> None:
        barrier.wait(30)
        own.append(flights.board("a")[1])

    threads = [threading.Thread(target=board) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(own) == [False] * 31 + [True]


def test_all_who_wait_go_on_when_it_lands(
    background: Callable[[Callable[[], object]], threading.Thread],
) -> None:
    flight = Flight()
    landed: list[bool] = []
    threads = [background(lambda: landed.append(flight.wait(60))) for _ in range(8)]

    flight.land()

    for thread in threads:
        thread.join(30)
    assert landed == [True] * 8


def test_who_waits_for_a_silent_one_gives_up() -> None:
    assert Flight().wait(0.05) is False


def test_a_forked_child_has_no_flights() -> None:
    flights = Flights()
    flights.board("a")

    flights.after_fork()

    assert flights.board("a")[1]


def test_landing_before_the_wait_is_seen(
    background: Callable[[Callable[[], object]], threading.Thread],
) -> None:
    flight = Flight()
    flight.land()
    answers: list[bool] = []
    background(lambda: answers.append(flight.wait(60)))

    wait_until(lambda: answers == [True])
