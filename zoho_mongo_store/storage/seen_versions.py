"""The versions of tokens that this process has seen, so that no find returns an older one."""

import threading
from collections import OrderedDict
from datetime import UTC, datetime

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.model.document import Document

_VERSION = "updated_at"
_UNKNOWN = datetime.max.replace(tzinfo=UTC)
# A secondary usually lags by seconds, so few tokens need to be remembered.
_MOST = 1000


class SeenVersions:
    """The tokens that this process wrote or read on the primary, and when each was saved.

    A secondary that the user chose to read from may still have older versions. Without this, a find
    right after a login could return the token that the login replaced.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.after_fork()
        reset_after_fork(self)

    def note(self, stored: Document) -> None:
        """Note a token as the primary has it."""
        self._note(stored["id"], stored.get(_VERSION, _UNKNOWN))

    def note_change(self, id: str) -> None:
        """Note that a token was changed or deleted by anyone."""
        self._note(id, _UNKNOWN)

    def are_newer_than(self, found: Document) -> bool:
        """Whether a member's version of a token may be older than the one seen."""
        if not self._versions:
            return False
        id = found.get("id", "")
        with self._lock:
            seen = self._versions.get(id)
            if seen is None:
                return False
            if _VERSION in found and found[_VERSION] >= seen:
                del self._versions[id]
                return False
        return True

    def forget(self, id: str) -> None:
        """Forget a token: a secondary has the same version as the primary."""
        with self._lock:
            self._versions.pop(id, None)

    def after_fork(self) -> None:
        """Start empty in a forked child."""
        self._lock = threading.RLock()
        self._versions: OrderedDict[str, datetime] = OrderedDict()

    def _note(self, id: str, version: datetime) -> None:
        with self._lock:
            self._versions[id] = version
            self._versions.move_to_end(id)
            if len(self._versions) > _MOST:
                self._versions.popitem(last=False)
