"""A lock for work on the network: waited for only so long."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import NetworkTimeout

from zoho_mongo_store.driver.fork import reset_after_fork


class TimedLock:
    """Lets one thread through at a time. Who waits gives up in time, so that threads which find
    MongoDB silent do not wait one after the other."""

    def __init__(self) -> None:
        self.after_fork()
        reset_after_fork(self)

    @property
    def held(self) -> bool:
        """Whether a thread is in."""
        return self._lock.locked()

    @contextmanager
    def hold(self, seconds: float) -> Iterator[None]:
        """Be the one in the block. Raises ``NetworkTimeout`` when another stays for ``seconds``."""
        lock = self._lock
        if not lock.acquire(timeout=max(seconds, 0)):
            raise NetworkTimeout("another thread has been waiting for MongoDB all the time")
        try:
            yield
        finally:
            lock.release()

    def after_fork(self) -> None:
        """A forked child finds it open: the thread that held it does not run there."""
        self._lock = threading.Lock()
