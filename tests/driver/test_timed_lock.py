"""The lock for work on the network: one thread at a time, for a limited wait, whatever happens."""

import gc
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from pymongo.errors import NetworkTimeout

from tests.processes import in_processes
from zoho_mongo_store.driver.timed_lock import TimedLock

SECONDS = 3.0


def test_one_at_a_time() -> None:
    lock = TimedLock()
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        with lock.hold(30):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.001)
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(100)))

    assert most == [1] * 100
    assert not lock.held


def test_who_waits_gives_up_in_time() -> None:
    lock = TimedLock()
    with lock.hold(0), ThreadPoolExecutor(1) as pool:
        assert lock.held
        started = time.monotonic()
        with pytest.raises(NetworkTimeout):
            pool.submit(lock.hold(0.2).__enter__).result()
        assert 0.2 <= time.monotonic() - started < 10
    assert not lock.held


def interrupt_often(seconds: float) -> tuple[int, int]:
    """Hold a lock over and over while a signal's handler raises; how often, and how often it was
    still held afterwards."""

    class TimeLimitError(Exception):
        """What a task queue's time limit raises."""

    def interrupt(*_: object) -> None:
        raise TimeLimitError

    signal.signal(signal.SIGALRM, interrupt)
    lock = TimedLock()
    interrupted = held = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0002)
            while True:
                with lock.hold(0.1):
                    pass
        except TimeLimitError:
            interrupted += 1
        except NetworkTimeout:
            signal.setitimer(signal.ITIMER_REAL, 0)
            lock = TimedLock()
        signal.setitimer(signal.ITIMER_REAL, 0)
        held += lock.held
    gc.collect()
    return interrupted, held


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signals")
def test_a_signals_exception_never_leaves_it_held() -> None:
    ((interrupted, held),) = in_processes(interrupt_often, [(SECONDS,)])

    assert interrupted > 100
    assert held == 0


def test_a_forked_child_finds_it_open() -> None:
    lock = TimedLock()
    with lock.hold(0):
        lock.after_fork()
        assert not lock.held
        with lock.hold(0):
            assert lock.held
    assert not lock.held
