"""Records the requests to the loopback Zoho."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from zoho_mongo_store.testing.zoho.protocol import Kind, Request, digest


class RequestLog:
    """The requests to one data centre, and how many were in progress at once. Thread-safe.

    Args:
        now: Zoho's clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._requests: list[Request] = []
        self._open: Counter[str] = Counter()
        self._most_open: Counter[str] = Counter()
        self._lock = threading.Lock()

    def record(self, kind: Kind, method: str, path: str, status: str, credential: str = "") -> None:
        """Record a request and the status of its answer."""
        with self._lock:
            request = Request(kind, self._now(), status, digest(credential), method, path)
            self._requests.append(request)

    @contextmanager
    def under_way(self, credential: str) -> Iterator[None]:
        """Count a token request as in progress while the block runs."""
        short = digest(credential)
        with self._lock:
            self._open[short] += 1
            self._most_open[short] = max(self._most_open[short], self._open[short])
        try:
            yield
        finally:
            with self._lock:
                self._open[short] -= 1

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests so far, as JSON."""
        with self._lock:
            return [asdict(request) for request in self._requests]

    def most_at_once(self, credential: str) -> int:
        """Return how many token requests with the credential were ever in progress at once."""
        with self._lock:
            return self._most_open[digest(credential)]

    def clear(self) -> None:
        """Forget the requests."""
        with self._lock:
            self._requests.clear()
            self._most_open.clear()
