"""Counts how the refreshes in this process ended."""

import threading
from dataclasses import dataclass, fields

from zoho_mongo_store.driver.fork import reset_after_fork


@dataclass(frozen=True)
class RefreshStats:
    """How the refreshes of one store in this process have ended since it was created.

    Every refresh, whether or not it sent a request to Zoho, is counted under exactly one of these
    outcomes. The counts only grow, as OpenTelemetry observable counters and Prometheus counters
    require.

    Attributes:
        refreshed: Asked Zoho and stored the new access token for a waiting caller.
        early: The same, in the background before the access token expired.
        took_over: The same, after another process's lease had expired.
        refused: Asked Zoho, which refused.
        unreachable: Asked Zoho and got no usable answer.
        late: Asked Zoho, but another process had stored a newer token by then; that one was used.
        abandoned: Gave up a request because the store was closed or the lease was lost.
        waited: Sent no request: another thread or process had obtained a new token.
        paused: Failed with ``RefreshPausedError`` without asking Zoho.
        login_required: Failed with ``LoginRequiredError`` without asking Zoho.
        failed: Failed without asking Zoho because MongoDB failed.
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
    """The counts of one store. Thread-safe."""

    def __init__(self) -> None:
        """Start all counts at zero."""
        self.after_fork()
        reset_after_fork(self)

    def add(self, outcome: str) -> None:
        """Count one ``outcome``, a field of ``RefreshStats``."""
        with self._lock:
            self._counts[outcome] += 1

    def snapshot(self) -> RefreshStats:
        """Return the current counts."""
        with self._lock:
            return RefreshStats(**self._counts)

    def after_fork(self) -> None:
        """Start from zero in a forked child."""
        self._lock = threading.Lock()
        self._counts = {field.name: 0 for field in fields(RefreshStats)}
