"""What was raised in the thread that opens, as those see it who wait."""

import threading
import traceback

import pytest
from pymongo.errors import NetworkTimeout

from zoho_mongo_store.driver.opening import Opening


def log_in() -> None:
    raise RuntimeError("no token")


def test_all_who_wait_see_where_it_was_raised() -> None:
    opening = Opening(log_in)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="no token") as raised:
            opening.wait(30)
        frames = [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
        assert (frames[-1], frames.count("wait")) == ("log_in", 1)
    assert opening.has_failed


def test_nobody_waits_longer_than_asked() -> None:
    over = threading.Event()
    opening = Opening(lambda: over.wait(30))
    with pytest.raises(NetworkTimeout, match="still being resolved"):
        opening.wait(0)
    assert not opening.has_failed
    over.set()
    assert opening.wait(30)
