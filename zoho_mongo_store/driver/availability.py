"""What a process knows about reaching MongoDB, so that each outage is waited for only once."""

import threading
import time
from collections.abc import Callable

from pymongo.errors import NetworkTimeout, PyMongoError

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.errors import KeyServiceError, is_unreachable

_SILENT = "an earlier operation got no answer from MongoDB, and it has not answered since"


def was_silent(error: PyMongoError, since: float, seconds: float) -> bool:
    """Whether MongoDB did not answer an operation for as long as it could wait.

    Args:
        error: What the operation raised. If a retry failed as well, pymongo raises the error of the
            first attempt, such as a closed connection.
        since: When the operation began, by ``time.monotonic``.
        seconds: How long it was allowed to take.
    """
    if isinstance(error, KeyServiceError) or not is_unreachable(error):
        return False
    return error.timeout or time.monotonic() - since >= 0.9 * seconds


class Availability:
    """Remembers that MongoDB did not answer, until a probe reaches it again.

    There are three degrees. If the primary is silent, finds go to a secondary. If the primary is
    away, an operation has waited for it for the whole timeout: operations that need the primary
    fail at once. If nobody answers, finds fail at once as well.
    """

    def __init__(self, on_begin: Callable[[], object], on_end: Callable[[float], object]) -> None:
        """Start by assuming that every member answers.

        Args:
            on_begin: Called when an outage begins, by the thread that noticed it.
            on_end: Called when the outage has ended, with its length in seconds.
        """
        self._on_begin = on_begin
        self._on_end = on_end
        self._began: float | None = None
        self._primary_is_away = self._nobody_answers = False
        self.after_fork()
        reset_after_fork(self)

    @property
    def is_disturbed(self) -> bool:
        """Whether an outage has been noticed and has not ended yet."""
        return self._began is not None

    @property
    def primary_is_silent(self) -> bool:
        """Whether finds skip the primary."""
        return not self._primary_answers.is_set()

    @property
    def nobody_answers(self) -> bool:
        """Whether no member answered, so that finds fail at once."""
        return self._nobody_answers

    def require_primary(self) -> None:
        """Check before an operation that needs the primary.

        Raises:
            NetworkTimeout: The primary is known to be away.
        """
        if self._primary_is_away:
            raise NetworkTimeout(_SILENT)

    def require_any_member(self) -> None:
        """Check before a find.

        Raises:
            NetworkTimeout: No member is known to answer.
        """
        if self._nobody_answers:
            raise NetworkTimeout(_SILENT)

    def found_silent(self, since: float, *, away: bool = False, nobody: bool = False) -> None:
        """Note that the primary did not answer an operation.

        Args:
            since: When the operation began, by ``time.monotonic``. If the primary has answered
                since then, nothing is noted.
            away: Whether the operation waited for the whole timeout.
            nobody: Whether no other member answered either.
        """
        with self._lock:
            if self._answered_at >= since:
                return
            begins = self._began is None
            if begins:
                self._began = time.monotonic()
            self._primary_answers.clear()
            self._primary_is_away = self._primary_is_away or away
            self._nobody_answers = self._nobody_answers or nobody
        if begins:
            self._on_begin()

    def member_answered(self) -> None:
        """Note that a member answers again."""
        self._nobody_answers = False

    def primary_answered(self) -> None:
        """Note that the primary answers again, if only to reads so far."""
        with self._lock:
            self._answered_at = time.monotonic()
            self._nobody_answers = False
            self._primary_answers.set()

    def primary_writes(self) -> None:
        """Note that the primary takes writes again."""
        self.primary_answered()
        self._primary_is_away = False

    def end(self) -> None:
        """Note that the primary answers again and nothing is left to write."""
        self.primary_writes()
        with self._lock:
            began, self._began = self._began, None
        if began is not None:
            self._on_end(time.monotonic() - began)

    def wait_for_primary(self, seconds: float) -> bool:
        """Wait while the primary is silent. Returns ``False`` if it still is after ``seconds``."""
        return self._primary_answers.wait(max(seconds, 0))

    def after_fork(self) -> None:
        """Start afresh in a forked child, which has no probe yet."""
        self._lock = threading.RLock()
        self._primary_answers = threading.Event()
        self._primary_answers.set()
        self._primary_is_away = self._nobody_answers = False
        self._began = None
        self._answered_at = 0.0
