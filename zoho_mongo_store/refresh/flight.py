"""Single-flight within a process: one thread goes, the others wait on it."""

import threading
import time

from zoho_mongo_store.driver.fork import reset_after_fork


class Flight:
    """One thread's way to a token, which others wait on."""

    def __init__(self) -> None:
        self._landed = threading.Event()
        self._seen_at = time.monotonic()
        self.error: Exception | None = None

    def beat(self) -> None:
        """Say that the thread is not stuck."""
        self._seen_at = time.monotonic()

    def wait(self, patience: float) -> bool:
        """Wait until it lands; ``False`` when it gave no sign for ``patience`` seconds."""
        while True:
            left = self._seen_at + patience - time.monotonic()
            if self._landed.wait(max(left, 0)):
                return True
            if left <= 0:
                return False

    def land(self) -> None:
        """Let all who wait go on."""
        self._landed.set()


class Flights:
    """The flights of one store, by the key of what they are after."""

    def __init__(self) -> None:
        self.after_fork()
        reset_after_fork(self)

    def board(self, key: str) -> tuple[Flight, bool]:
        """The flight for ``key``, and whether the caller is the one to fly it."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Flight()
            return flight, True

    def leave(self, key: str, flight: Flight) -> None:
        """Take ``flight`` off the list, so that the next caller begins another."""
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]

    def after_fork(self) -> None:
        """The parent's threads do not run in a forked child."""
        self._lock = threading.Lock()
        self._flights: dict[str, Flight] = {}
