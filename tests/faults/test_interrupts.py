"""Ctrl-C at any moment of an operation: it gets through, and the store goes on."""

import random
import signal
import threading
import time
from functools import partial

import pytest

from tests.failures import fails
from tests.faults.documents import documents, login, number_of
from tests.processes import in_processes
from tests.tokens import contents, make_token
from tests.waiting import once_it_works
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.driver.timed_lock import TimedLock
from zoho_mongo_store.testing import LocalMongo

INTERRUPTS = 40
# Python drops what is raised in a destructor or in a weak reference's callback, and goes on.
PATIENCE = 2.0


def save_through_interrupts(uri: str) -> tuple[int, int]:
    """How many operations were interrupted, and the number of the last save that went through."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    moments = random.Random(5)
    signal.signal(signal.SIGALRM, interrupt)
    interrupted = saved = number = 0
    for turn in range(INTERRUPTS):
        # A new store now and then: the making of the client and the indexes can be hit as well.
        if turn % 10 == 0:
            store = MongoTokenStore(uri, timeout=10)
        try:
            deadline = time.monotonic() + PATIENCE
            signal.setitimer(signal.ITIMER_REAL, moments.uniform(0.0005, 0.02))
            while time.monotonic() < deadline:
                number += 1
                store.save_token(make_token(**login("ada", number)))
                saved = number
        except KeyboardInterrupt:
            interrupted += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        # Once in thousands of times pymongo meets a socket again that it was just closing.
        once_it_works(partial(store.find_token, make_token(user_name="ada")))
        if turn % 10 == 9:
            store.save_token(make_token(**login("ada", number)))
            saved = number
            store.close()
    return interrupted, saved


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signals")
def test_an_interrupted_store_goes_on(server: LocalMongo) -> None:
    (outcome,) = in_processes(save_through_interrupts, [(server.uri,)], timeout=240)

    interrupted, saved = outcome
    assert interrupted > INTERRUPTS * 0.8
    (document,) = documents(server.uri)
    assert number_of(document) == saved


def test_a_gate_that_was_left_by_an_exception_is_open() -> None:
    gate = TimedLock()

    def leave() -> None:
        with gate.hold(1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    with gate.hold(0):
        pass
    assert not gate.held


def test_close_in_the_midst_of_operations(server: LocalMongo) -> None:
    """Each either succeeds, or says that the store is closed, and none hangs."""
    store = MongoTokenStore(server.uri, timeout=5)
    store.get_tokens()
    outcomes: list[str] = []

    def save(user: str) -> None:
        for number in range(1, 1000):
            try:
                store.save_token(make_token(**login(user, number)))
            except Exception as error:
                outcomes.append(f"{user} {number - 1} {error}")
                return

    threads = [threading.Thread(target=save, args=(f"user-{one}",)) for one in range(4)]
    for thread in threads:
        thread.start()
    while len(documents(server.uri)) < 4:
        time.sleep(0.01)
    store.close()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()

    assert len(outcomes) == 4
    assert all("closed" in outcome or "cannot be reached" in outcome for outcome in outcomes)
    stored = {document["user_name"]: number_of(document) for document in documents(server.uri)}
    for outcome in outcomes:
        user, number, _ = outcome.split(" ", 2)
        assert stored[user] >= int(number)
    with fails("the store is closed"):
        store.get_tokens()
    with MongoTokenStore(server.uri) as other:
        assert contents(other.find_token(make_token(user_name="user-0")))
