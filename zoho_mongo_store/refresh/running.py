"""The attempts of one store that are under way, and how they end with it."""

import threading
import time

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.refresh.attempt import Attempt


class RunningAttempts:
    """The attempts of one store that are under way in this process."""

    def __init__(self) -> None:
        """Begin without any."""
        self.after_fork()
        reset_after_fork(self)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._attempts)

    def add(self, attempt: Attempt) -> None:
        """Note that an attempt is about to begin."""
        with self._lock:
            self._attempts.add(attempt)

    def discard(self, attempt: Attempt) -> None:
        """Note that an attempt is over, or has not begun."""
        with self._lock:
            self._attempts.discard(attempt)

    def end(self, timeout: float) -> None:
        """Wait for the attempts, then end those that are still under way.

        Args:
            timeout: Seconds to wait for Zoho's answers.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            running = list(self._attempts)
        for attempt in running:
            attempt.ended.wait(max(deadline - time.monotonic(), 0))
        for attempt in running:
            attempt.cancel()
        for attempt in running:
            attempt.ended.wait(timeout)

    def after_fork(self) -> None:
        """The parent's threads do not run in a forked child."""
        self._lock = threading.Lock()
        self._attempts: set[Attempt] = set()
