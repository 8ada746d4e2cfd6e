"""MongoDB's clock, on which all hosts agree."""

import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from pymongo.database import Database
from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.retry import retry_once
from zoho_mongo_store.errors import keeping_words

logger = logging.getLogger("zoho_mongo_store")

# Seconds by which two clocks may differ. The SDK refreshes a token in its last five seconds.
_TOLERANCE = 2
_NONE = timedelta(0)
# Seconds.
_GOOD_FOR = 10.0
_RETRY_AFTER = 60.0

Clock = Callable[[], datetime]
"""Returns the time, with a time zone."""


def server_clock(database: "Database[Any]", timeout: float) -> Clock:
    """Ask the server for its time once, and count from there.

    This host counts with its monotonic clock, which nobody can set. The result is accurate to half
    a round trip.

    Args:
        database: Any database on the server.
        timeout: Seconds that the command may take.

    Raises:
        PyMongoError: MongoDB could not be reached, or refused.
    """
    return retry_once(lambda: _read(database, timeout))


def _read(database: "Database[Any]", timeout: float) -> Clock:
    before = time.monotonic()
    try:
        with keeping_words(), pymongo.timeout(timeout):
            hello: dict[str, Any] = database.client.admin.command(
                "hello", codec_options=CodecOptions(tz_aware=True)
            )
    except NotImplementedError:
        # mongomock has no server, so there is only one clock.
        hello = {"localTime": datetime.now(UTC)}
    after = time.monotonic()
    at_start = hello["localTime"] - timedelta(seconds=(after - before) / 2)
    return lambda: at_start + timedelta(seconds=time.monotonic() - before)


class HostClock:
    """How far this host's clock differs from the server's."""

    def __init__(self, read: Callable[[], Clock]) -> None:
        """Create it. Nothing is sent yet.

        Args:
            read: Asks the server for its time, as ``server_clock`` does.
        """
        self._read = read
        self._server: Clock | None = None
        # In seconds: the server's time minus this host's monotonic clock, and the uncertainty.
        self._offset = 0.0
        self._uncertainty = 0.0
        self._read_again_at = 0.0
        self._try_at = 0.0
        self._warned = False

    def server(self) -> Clock:
        """Ask the server for its time, unless it was asked a few seconds ago.

        Raises:
            PyMongoError: MongoDB could not be reached, or refused.
        """
        moment = time.monotonic()
        if self._server is not None and moment < self._read_again_at:
            return self._server
        server = self._read()
        asked_at = time.monotonic()
        self._uncertainty = (asked_at - moment) / 2
        self._offset = server().timestamp() - asked_at
        self._server = server
        self._read_again_at = moment + _GOOD_FOR
        ahead = self.ahead()
        if ahead and not self._warned:
            self._warned = True
            way = "ahead of" if ahead > timedelta(0) else "behind"
            logger.warning(
                "The clock of this host is %d s %s MongoDB's: synchronize it with NTP",
                abs(ahead).total_seconds(),
                way,
            )
        return server

    @property
    def is_known(self) -> bool:
        """Whether the server's time is known."""
        return self._server is not None

    def ahead_if_known(self) -> timedelta | None:
        """As ``ahead``, but without asking the server: ``None`` if its time is not known."""
        return self.ahead(ask=False) if self.is_known else None

    def ahead(self, *, ask: bool = True) -> timedelta:
        """How far this host's clock is ahead, in whole seconds; negative if it is behind.

        Zero if the difference is below two seconds, or uncertain because of a slow answer or a busy
        host. If the server cannot be asked, the host's clock is taken to be right, and the server
        is asked again a minute later at the earliest.

        Args:
            ask: Whether the server may be asked if its time is not known.
        """
        if self._server is None and ask:
            moment = time.monotonic()
            if moment < self._try_at:
                return _NONE
            self._try_at = moment + _RETRY_AFTER
            with contextlib.suppress(PyMongoError):
                self.server()
        if self._server is None:
            return _NONE
        before = time.monotonic()
        ahead = time.time() - self._offset - before
        if abs(ahead) < _TOLERANCE:
            return _NONE
        doubt = self._uncertainty + time.monotonic() - before
        return _NONE if abs(ahead) - doubt < _TOLERANCE else timedelta(seconds=round(ahead))
