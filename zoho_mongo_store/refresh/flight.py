"""Single-flight within a process: one thread does the work, the others wait for it."""

import threading

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.refresh.outcome import Outcome


class Flight:
    """One thread's attempt to get a token, which other threads wait for.

    Attributes:
        outcome: How it ended. ``None`` if an early refresh was left to another process.
        error: The error with which it ended, if any.
        is_flown: Whether a thread is running it.
    """

    def __init__(self) -> None:
        """Create it."""
        self._landed = threading.Event()
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self.is_flown = False

    def wait(self, seconds: float) -> bool:
        """Wait at most this many seconds for it to land. Returns whether it has."""
        return self._landed.wait(max(seconds, 0))

    def land(self) -> None:
        """Release all waiting threads."""
        self._landed.set()


class Flights:
    """The flights of one store, by key."""

    def __init__(self) -> None:
        """Start without any."""
        self.after_fork()
        reset_after_fork(self)

    def board(self, key: str) -> tuple[Flight, bool]:
        """Join or create the flight for ``key``. Returns whether the caller is to fly it."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Flight()
            return flight, True

    def give_up(self, key: str) -> bool:
        """End the flight for ``key`` if nobody flies it because its start was interrupted.

        Threads that wait for it create another.

        Returns:
            Whether there was one.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None or flight.is_flown:
                return False
            del self._flights[key]
        flight.land()
        return True

    def leave(self, key: str, flight: Flight) -> None:
        """Remove ``flight``, so that the next caller creates another."""
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]

    def after_fork(self) -> None:
        """Start afresh in a forked child, where the parent's threads do not run."""
        self._lock = threading.Lock()
        self._flights: dict[str, Flight] = {}
