"""Recovers from an outage: one thread probes MongoDB and writes the kept saves."""

import atexit
import logging
import time
import weakref
from collections.abc import Callable
from datetime import timedelta

import pymongo
from pymongo import ReadPreference
from pymongo.errors import NetworkTimeout, PyMongoError

from zoho_mongo_store.driver.availability import Availability
from zoho_mongo_store.driver.background import BackgroundTask
from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.reading import patience
from zoho_mongo_store.errors import StoreError, failure, is_unreachable
from zoho_mongo_store.events import Events
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.token_documents import TokenDocuments
from zoho_mongo_store.storage.pending_saves import PendingSaves
from zoho_mongo_store.storage.pending_writer import PendingWriter

logger = logging.getLogger("zoho_mongo_store")

_PAUSE = 0.25
# Seconds for the first of several probes. A new connection may need more.
_SHORTEST_PROBE = 0.25
_MOST_DOUBLINGS = 3
# Closing a client tells the server which sessions have ended.
_FAREWELL_SECONDS = 0.5


class Recovery:
    """Notices an outage once, probes MongoDB until it answers, and writes the kept saves.

    Its thread starts when an operation finds MongoDB silent or a save is kept, and ends when
    MongoDB answers and nothing is left to write. It refers to the connection and the kept saves,
    not to the repository: a dropped store is garbage-collected, and its kept saves are still
    written. When the process exits, saves that are still kept are written within ``timeout`` or
    logged as lost.
    """

    def __init__(
        self,
        connection: Connection,
        documents: Callable[[bool], TokenDocuments],
        timeout: float,
        events: Events,
        on_stored: Callable[[Document], object],
    ) -> None:
        """Create it. No thread is started yet.

        Args:
            connection: The connection to the collection.
            documents: Returns the collection to write to, as for ``PendingWriter``. Neither this
                nor ``on_stored`` may refer to the repository.
            timeout: Seconds that an operation may take.
            events: Where events of outages and kept saves are emitted.
            on_stored: Called with each document that a kept save wrote.
        """
        self._connection = connection
        self._timeout = timeout
        self._events = events
        self.pending = PendingSaves(events)
        self._writer = PendingWriter(self.pending, documents, events, on_stored)
        self.availability = Availability(self._begin, self._end)
        self._task = BackgroundTask(self._step, "zoho-mongo-store-recovery", _PAUSE)
        self._failed_probes = self._failed_writes = 0
        _unfinished.add(self)

    def start(self) -> None:
        """Have the kept saves written in the background."""
        self._task.start()

    def ping_primary(self, seconds: float) -> None:
        """Check that the primary answers within ``seconds``, or raise pymongo's error."""
        self._ping(ReadPreference.PRIMARY, seconds)

    def wait_for_primary(self, seconds: float) -> None:
        """Wait until the primary answers.

        Args:
            seconds: The longest time to wait.

        Raises:
            PyMongoError: No primary answered.
        """
        self.availability.found_silent(time.monotonic())
        if not self.availability.wait_for_primary(seconds):
            raise NetworkTimeout("no primary answered")
        self.availability.primary_writes()

    def write_kept(self, only: Document | None = None) -> None:
        """Write the saves that are kept now, within the caller's timeout.

        Args:
            only: Only the saves of the token with these fields. Default: all.

        Raises:
            PyMongoError: They could not be written, and are still kept.
        """
        if self.pending:
            self._writer.flush(self._timeout, only=only)

    def finish(self) -> None:
        """Write the kept saves within the timeout, or log at ERROR that they are lost, and stop."""
        self._task.stop()
        if not self.pending or self._connection.closed:
            return
        try:
            with pymongo.timeout(self._timeout):
                while self.pending:
                    self._writer.flush(self._timeout)
        except (PyMongoError, StoreError):
            self.pending.give_up()

    def close_connection(self) -> None:
        """Close the connection, without waiting long if MongoDB is away."""
        is_away = self.availability.is_disturbed
        with pymongo.timeout(_FAREWELL_SECONDS if is_away else self._timeout):
            self._connection.close()

    def _step(self) -> bool:
        """Probe, and write the kept saves. Returns whether there is more to do."""
        if not self.availability.is_disturbed and not self.pending:
            return False
        try:
            self._probe()
            self._write()
        except PyMongoError as error:
            if not is_unreachable(error):
                logger.error("%s", failure("writing the kept saves", error))
            return True
        except StoreError:
            return False  # It was closed.
        except Exception as error:
            # No error may end the thread, which may have logins to write.
            logger.error("%s", failure("writing the kept saves", error))
            return True
        if not self.pending:
            self.availability.end()
        return bool(self.pending)

    def _probe(self) -> None:
        """Ping the primary; only briefly at first, since the next attempt may find another one."""
        longest = patience(self._timeout)
        seconds = min(_SHORTEST_PROBE * 2**self._failed_probes, longest)
        self._failed_probes = 0 if seconds == longest else self._failed_probes + 1
        try:
            self.ping_primary(seconds)
        except PyMongoError as error:
            if is_unreachable(error):
                if self.availability.nobody_answers:
                    self._ping(ReadPreference.NEAREST, longest)
                    self.availability.member_answered()
                raise
            # It answers, if only to refuse. The operations will report that.
        self._failed_probes = 0
        self.availability.primary_answered()

    def _write(self) -> None:
        """Write the kept saves. After each failure, the commands may take longer."""
        if not self.pending:
            return
        seconds = min(patience(self._timeout) * 2**self._failed_writes, self._timeout)
        self._failed_writes = min(self._failed_writes + 1, _MOST_DOUBLINGS)
        self._writer.flush(
            self._timeout, each=seconds, on_acknowledged=self.availability.primary_writes
        )
        self._failed_writes = 0

    def _ping(self, preference: "pymongo.read_preferences._ServerMode", seconds: float) -> None:
        deadline = time.monotonic() + seconds
        database = self._connection.open(seconds).database
        with pymongo.timeout(max(deadline - time.monotonic(), 0.001)):
            database.command("ping", read_preference=preference)

    def _begin(self) -> None:
        logger.error(
            "MongoDB's primary does not answer: finds are answered by a secondary if there is one, "
            "and saves are kept until the primary answers again"
        )
        self._events.emit("outage_began", reason="MongoDB's primary does not answer")
        self._task.start()

    def _end(self, seconds: float) -> None:
        logger.warning("MongoDB's primary answers again, after %.1f s", seconds)
        self._events.emit("outage_ended", duration=timedelta(seconds=seconds))


_unfinished: "weakref.WeakSet[Recovery]" = weakref.WeakSet()


@atexit.register
def _finish_all() -> None:
    """Write the kept saves of stores that nobody closed, and close their own connections."""
    for recovery in list(_unfinished):
        recovery.finish()
        recovery.close_connection()
