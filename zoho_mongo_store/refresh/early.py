"""When a process refreshes a token early, and how many at once."""

import threading
import time

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.model.document import MARGIN, Document
from zoho_mongo_store.refresh.attempt import Attempt
from zoho_mongo_store.sdk import OAuthToken

# Seconds between two tries of a process, while another one refreshes early or has failed to.
_PAUSE = 5.0
# A job that iterates over all users must not start a thread for each.
_AT_ONCE = 8
_MARGIN = MARGIN.total_seconds()


class EarlyRefreshes:
    """The early refreshes of one store that are in progress or were tried recently."""

    def __init__(self, ahead: float) -> None:
        """Start without any.

        Args:
            ahead: A token is due in its last ``ahead`` seconds; see ``RefreshPolicy``.
        """
        self._ahead = ahead
        self.after_fork()
        reset_after_fork(self)

    def is_due(self, token: OAuthToken, stored: Document) -> bool:
        """Whether a token filled from ``stored`` is still valid but about to expire."""
        expires_in = token.get_expires_in()
        if not expires_in or "access_token" not in stored or "refresh_token" not in stored:
            return False
        return _MARGIN < int(expires_in) / 1000 - time.time() < self._ahead

    def may_try(self, key: str) -> bool:
        """Whether to try now. If so, the next try has to wait a few seconds.

        Args:
            key: The key of the lease.
        """
        moment = time.monotonic()
        with self._lock:
            if moment < self._resting.get(key, 0) or len(self._under_way) >= _AT_ONCE:
                return False
            for over in [one for one, end in self._resting.items() if end <= moment]:
                del self._resting[over]
            self._resting[key] = moment + _PAUSE
            return True

    def add(self, attempt: Attempt) -> None:
        """Note that an attempt is in progress."""
        with self._lock:
            self._under_way.add(attempt)

    def discard(self, attempt: Attempt) -> None:
        """Note that an attempt, early or not, has ended."""
        with self._lock:
            self._under_way.discard(attempt)

    def after_fork(self) -> None:
        """Start afresh in a forked child, where the parent's threads do not run."""
        self._lock = threading.Lock()
        self._under_way: set[Attempt] = set()
        self._resting: dict[str, float] = {}
