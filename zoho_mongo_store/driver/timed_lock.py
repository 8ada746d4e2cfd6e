"""A lock for work on the network: threads wait for it only for a limited time."""

import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import NetworkTimeout

from zoho_mongo_store.driver.fork import reset_after_fork

_POLL_SECONDS = 0.01


class _Ticket:
    """Represents the thread in the block; the lock is free once the ticket is gone."""


class TimedLock:
    """Lets one thread in at a time; a waiting thread gives up after its time.

    So threads that find MongoDB silent do not wait one after the other.

    An exception raised by a signal handler, such as ``KeyboardInterrupt``, can arrive between any
    two steps of taking or releasing a lock. So a thread creates a ticket before it takes the lock,
    and the lock refers to the ticket weakly: whichever step is skipped, the lock is free as soon as
    the exception has been handled.
    """

    def __init__(self) -> None:
        """Create an open lock."""
        self.after_fork()
        reset_after_fork(self)

    @property
    def held(self) -> bool:
        """Whether a thread is in the block."""
        return self._holder() is not None

    @contextmanager
    def hold(self, seconds: float) -> Iterator[None]:
        """Hold the lock in the block.

        Args:
            seconds: How long to wait for another thread to leave.

        Raises:
            NetworkTimeout: The other thread did not leave in time.
        """
        ticket = _Ticket()
        try:
            self._take(ticket, time.monotonic() + seconds)
            yield
        finally:
            self._release(ticket)

    def after_fork(self) -> None:
        """Open the lock in a forked child, where the thread that held it does not run."""
        # Reentrant, since a signal handler may use the same lock. A plain with-statement on it
        # cannot be interrupted between its acquisition and its release.
        self._mutex = threading.RLock()
        self._holder_reference: weakref.ref[_Ticket] | None = None

    def _take(self, ticket: _Ticket, deadline: float) -> None:
        while not self._try(ticket):
            left = deadline - time.monotonic()
            if left <= 0:
                raise NetworkTimeout("another thread is still waiting for MongoDB")
            time.sleep(min(_POLL_SECONDS, left))

    def _try(self, ticket: _Ticket) -> bool:
        with self._mutex:
            if self._holder() is not None:
                return False
            self._holder_reference = weakref.ref(ticket)
            return True

    def _release(self, ticket: _Ticket) -> None:
        with self._mutex:
            if self._holder() is ticket:
                self._holder_reference = None

    def _holder(self) -> _Ticket | None:
        reference = self._holder_reference
        return None if reference is None else reference()
