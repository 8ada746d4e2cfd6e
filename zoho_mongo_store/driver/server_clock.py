"""MongoDB's clock: the one that all hosts agree on."""

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

# Seconds that two clocks may differ: the SDK refreshes in the last five.
_TOLERANCE = 2
_NONE = timedelta(0)
# Seconds.
_GOOD_FOR = 10.0
_RETRY_AFTER = 60.0

Clock = Callable[[], datetime]
"""Tells the time, with a time zone."""


def server_clock(database: "Database[Any]", timeout: float) -> Clock:
    """Ask the server for its time once, and count on from there.

    This host counts with its monotonic clock, which nobody sets. The result is as exact as half a
    round trip.

    Args:
        database: Any database of the server.
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
        # mongomock has no server, so one clock.
        hello = {"localTime": datetime.now(UTC)}
    after = time.monotonic()
    at_start = hello["localTime"] - timedelta(seconds=(after - before) / 2)
    return lambda: at_start + timedelta(seconds=time.monotonic() - before)


class HostClock:
    """How far this host's clock is from the server's."""

    def __init__(self, read: Callable[[], Clock]) -> None:
        """Create it; nothing is sent yet.

        Args:
            read: Asks the server for its time, as ``server_clock`` does.
        """
        self._read = read
        self._server: Clock | None = None
        # In seconds: the server's time less this host's monotonic clock, and the doubt about it.
        self._offset = 0.0
        self._uncertainty = 0.0
        self._read_again_at = 0.0
        self._try_at = 0.0
        self._warned = False

    def server(self) -> Clock:
        """Ask the server for its time, unless it told it a few seconds ago.

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
                "The clock of this host is %d s %s MongoDB's: set it by NTP",
                abs(ahead).total_seconds(),
                way,
            )
        return server

    @property
    def is_known(self) -> bool:
        """Whether the server has told its time."""
        return self._server is not None

    def ahead_if_known(self) -> timedelta | None:
        """As ``ahead``, but ``None`` where the server has not told its time; it is not asked."""
        return self.ahead(ask=False) if self.is_known else None

    def ahead(self, *, ask: bool = True) -> timedelta:
        """How far this host's clock is ahead, in whole seconds; negative where it is behind.

        Zero for less than two seconds, and for what a slow answer or a busy host leaves in doubt.
        Where the server has not told its time, and for a minute after that, the host's clock is
        taken to be right.

        Args:
            ask: Whether the server may be asked, if it never has been.
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
