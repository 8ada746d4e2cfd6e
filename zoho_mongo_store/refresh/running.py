"""The running attempts of one store, and how they end with it."""

import threading
import time

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.refresh.attempt import Attempt


class RunningAttempts:
    """The attempts of one store that are running in this process."""

    def __init__(self) -> None:
        """Start without any."""
        self.after_fork()
        reset_after_fork(self)

    def __len__(self) -> int:
        """Return the number of running attempts."""
        return len(self._attempts)

    def add(self, attempt: Attempt) -> None:
        """Note that an attempt is about to start."""
        with self._lock:
            self._attempts.add(attempt)

    def discard(self, attempt: Attempt) -> None:
        """Note that an attempt has ended, or was never started."""
        with self._lock:
            self._attempts.discard(attempt)

    def end(self, timeout: float) -> None:
        """Wait for the attempts, then cancel those that are still running.

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
        """Start afresh in a forked child, where the parent's threads do not run."""
        self._lock = threading.Lock()
        self._attempts: set[Attempt] = set()
