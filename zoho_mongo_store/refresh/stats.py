"""Counts of what became of the refreshes in this process."""

import threading
from dataclasses import dataclass, fields

from zoho_mongo_store.driver.fork import reset_after_fork


@dataclass(frozen=True)
class RefreshStats:
    """What became of the refreshes of one store in this process, since it was made.

    Each refresh counts once: whoever asks Zoho, and whoever goes without asking, ends in exactly
    one of these. Each count only ever grows, which is what an OpenTelemetry observable counter or a
    Prometheus counter wants.

    Attributes:
        refreshed: Asked Zoho and stored the new access token, for a caller that waited.
        early: The same in the background, before the access token expired.
        took_over: The same, in the place of another process whose lease had run out.
        refused: Asked Zoho, which refused.
        unreachable: Asked Zoho and got no usable answer.
        late: Asked Zoho, and another process stored a newer token meanwhile, which was taken.
        abandoned: Gave up a request, since the store was closed or its lease was another's.
        waited: Asked nobody: another thread or process had got a new token.
        paused: Failed with ``RefreshPausedError`` without asking.
        login_required: Failed with ``LoginRequiredError`` without asking.
        failed: Failed without asking, since MongoDB failed.
    """

    refreshed: int = 0
    early: int = 0
    took_over: int = 0
    refused: int = 0
    unreachable: int = 0
    late: int = 0
    abandoned: int = 0
    waited: int = 0
    paused: int = 0
    login_required: int = 0
    failed: int = 0


class Counters:
    """The counts of one store, for any number of threads."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.after_fork()
        reset_after_fork(self)

    def add(self, outcome: str) -> None:
        """Count one ``outcome``, a field of ``RefreshStats``."""
        with self._lock:
            self._counts[outcome] += 1

    def snapshot(self) -> RefreshStats:
        """The counts as they are now."""
        with self._lock:
            return RefreshStats(**self._counts)

    def after_fork(self) -> None:
        """A forked child counts from zero."""
        self._lock = threading.Lock()
        self._counts = {field.name: 0 for field in fields(RefreshStats)}
