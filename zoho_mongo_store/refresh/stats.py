"""Counts of what happened to the refreshes in this process."""

import threading
from dataclasses import dataclass, fields

from zoho_mongo_store.driver.fork import reset_after_fork


@dataclass(frozen=True)
class RefreshStats:
    """How often, since the store was made, in this process. Each count only ever grows, which is
    what an OpenTelemetry observable counter or a Prometheus counter wants.

    won: asked Zoho, under a lease.
    took_over: took the lease from a holder that had let it run out.
    early: took a lease ahead of the expiry.
    waited: went on with a token that another thread or process had got.
    failed: asked Zoho and got no token.
    cooling_down: failed at once, since a failure before was too recent.
    late: got an answer after another had got a newer one, and went on with that.
    """

    won: int = 0
    took_over: int = 0
    early: int = 0
    waited: int = 0
    failed: int = 0
    cooling_down: int = 0
    late: int = 0


class Counters:
    """The counts of one store, for any number of threads."""

    def __init__(self) -> None:
        self.after_fork()
        reset_after_fork(self)

    def add(self, event: str) -> None:
        """Count one ``event``, a field of ``RefreshStats``."""
        with self._lock:
            self._counts[event] += 1

    def snapshot(self) -> RefreshStats:
        """The counts as they are now."""
        with self._lock:
            return RefreshStats(**self._counts)

    def after_fork(self) -> None:
        """A forked child counts from zero."""
        self._lock = threading.Lock()
        self._counts = {field.name: 0 for field in fields(RefreshStats)}
