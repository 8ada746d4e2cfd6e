"""How the loopback Zoho is configured to answer: late, failing or with a refusal."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from zoho_mongo_store.testing.zoho.protocol import Behaviour, Refusal


class Conduct:
    """What one data centre does with the next requests. Thread-safe."""

    def __init__(self) -> None:
        self._behaviour = Behaviour()
        self._refusal: Refusal | None = None
        self._released = threading.Event()
        self._lock = threading.Lock()

    @property
    def lifetime(self) -> int:
        """The lifetime of an access token in seconds."""
        return self._behaviour.lifetime

    def configure(self, **changes: Any) -> None:
        """Change how token requests are answered; see ``LoopbackZoho.configure``."""
        with self._lock:
            if "failure" in changes:
                changes.setdefault("failures", None)
            self._behaviour = replace(self._behaviour, **changes)
        if "failure" in changes:
            self.release()

    def refuse_with(self, code: str | None, http_status: int | None, requests: int | None) -> None:
        """Refuse requests to the CRM API; see ``LoopbackZoho.refuse_with``."""
        refusal = None if code is None else Refusal(code, http_status, requests)
        with self._lock:
            self._refusal = refusal

    def release(self) -> None:
        """Answer all hanging requests."""
        with self._lock:
            self._released.set()
            self._released = threading.Event()

    def of_token_request(self) -> tuple[Behaviour, threading.Event]:
        """Return the behaviour for one token request, which counts against ``failures``.

        The event is set when hanging requests are to continue.
        """
        with self._lock:
            behaviour = self._behaviour
            if behaviour.failures == 1:
                self._behaviour = replace(behaviour, failure=None, failures=None)
            elif behaviour.failures is not None:
                self._behaviour = replace(behaviour, failures=behaviour.failures - 1)
            return behaviour, self._released

    def of_crm_request(self) -> Refusal | None:
        """Return how one request to the CRM API is refused, if it is."""
        with self._lock:
            refusal = self._refusal
            if refusal is not None and refusal.requests is not None:
                left = refusal.requests - 1
                self._refusal = replace(refusal, requests=left) if left else None
            return refusal
