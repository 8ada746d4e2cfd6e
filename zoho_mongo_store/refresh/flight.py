"""Single-flight within a process: one thread goes, the others wait on it."""

import threading

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.refresh.outcome import Outcome


class Flight:
    """One thread's way to a token, which others wait on.

    Attributes:
        outcome: How it ended. ``None`` when an early refresh left it to another process.
        error: What ended it otherwise.
        is_flown: Whether a thread is on the way.
    """

    def __init__(self) -> None:
        """Begin it."""
        self._landed = threading.Event()
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self.is_flown = False

    def wait(self, seconds: float) -> bool:
        """Wait until it lands, for so many seconds at most; whether it has."""
        return self._landed.wait(max(seconds, 0))

    def land(self) -> None:
        """Let all who wait go on."""
        self._landed.set()


class Flights:
    """The flights of one store, by the key of what they are after."""

    def __init__(self) -> None:
        """Begin without any."""
        self.after_fork()
        reset_after_fork(self)

    def board(self, key: str) -> tuple[Flight, bool]:
        """Find or begin the flight for ``key``; whether the caller is the one to fly it."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Flight()
            return flight, True

    def give_up(self, key: str) -> bool:
        """End the flight for ``key`` if nobody flies it, since its begin was interrupted.

        Those who wait on it begin another.

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
        """Take ``flight`` off the list, so that the next caller begins another."""
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]

    def after_fork(self) -> None:
        """The parent's threads do not run in a forked child."""
        self._lock = threading.Lock()
        self._flights: dict[str, Flight] = {}
