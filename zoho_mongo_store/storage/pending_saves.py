"""Saves that could not reach MongoDB, kept in memory until they can."""

import logging
import threading
from datetime import datetime

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.driver.timed_lock import TimedLock
from zoho_mongo_store.events import Events
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.lookup import Filter, save_filters
from zoho_mongo_store.model.matching import matches
from zoho_mongo_store.storage.pending_save import PendingSave

logger = logging.getLogger("zoho_mongo_store")

_UNREACHABLE = "MongoDB could not be reached"


class PendingSaves:
    """The latest failed saves of each token, in the order in which they failed.

    The SDK swallows the exceptions of ``save_token`` (oauth_token.py, ``get_token``), and by then
    the grant token, which can be exchanged only once, is spent. Without this, a login during a
    short outage would be lost.

    Attributes:
        writing: Held by the thread that is writing the kept saves.
    """

    def __init__(self, events: Events) -> None:
        """Create it empty.

        Args:
            events: Where ``save_kept`` and ``save_lost`` are emitted.
        """
        self._events = events
        self._saves: dict[str, PendingSave] = {}
        self._written: dict[str, datetime] = {}
        self._lock = threading.RLock()
        self.writing = TimedLock()
        reset_after_fork(self)

    def keep(
        self,
        fields: Document,
        attempted_at: datetime,
        *,
        keep_access_token: bool = False,
        redeemed: Document | None = None,
        is_login: bool = False,
    ) -> None:
        """Keep a save, replacing an older one of the same kind for the same token.

        Args:
            fields: The fields to save. Fields that only the older save had are kept too.
            attempted_at: When it was first attempted. A save by another process after that is
                newer.
            keep_access_token: As for ``upsert``.
            redeemed: For a refresh, the document whose credential was redeemed. The save is then
                written by ``compare_and_set_access_token``.
            is_login: Whether Zoho accepted it as a login. If the older save was a login, this one
                is too.
        """
        save = PendingSave(fields, attempted_at, keep_access_token, redeemed, is_login)
        kind = (keep_access_token, redeemed is not None)
        key = f"{kind} {save_filters(fields)[:1] or fields!r}"
        with self._lock:
            older = self._saves.pop(key, None)
            if older is not None and older.is_login:
                save = save._replace(is_login=True)
            if older is not None and redeemed is None:
                merged = save.applied_to(older.fields) if not keep_access_token else fields
                save = save._replace(fields={**merged, **fields})
            self._saves[key] = save
        self._events.emit("save_kept", fields, reason=_UNREACHABLE)

    def find(self, filters: list[Filter]) -> Document | None:
        """Find a token among the kept saves.

        Returns:
            The token found by the first matching filter, as it will be stored.
        """
        with self._lock:
            saves = list(self._saves.values())
        for candidate in filters:
            for save in reversed(saves):
                if matches(save.document, candidate):
                    return self.applied_to(save.document)
        return None

    def applied_to(self, stored: Document) -> Document:
        """Return a document as it will be once the kept saves of its token are written."""
        with self._lock:
            saves = list(self._saves.values())
        for save in saves:
            if save.is_of(stored) and not self.is_newer(stored, save.attempted_at):
                stored = save.applied_to(stored)
        return stored

    def has_save_of(self, fields: Document) -> bool:
        """Whether a save of the token with these fields is kept."""
        with self._lock:
            return any(save.is_of(fields) for save in self._saves.values())

    def waiting(self, only: Document | None = None) -> list[PendingSave]:
        """Return the saves that are kept now, oldest first.

        Args:
            only: Only those of the token with these fields. ``None``: all.
        """
        with self._lock:
            return [one for one in self._saves.values() if only is None or one.is_of(only)]

    def holds(self, save: PendingSave) -> bool:
        """Whether a save is still kept: neither deleted nor replaced by a newer one."""
        with self._lock:
            return any(kept is save for kept in self._saves.values())

    def is_newer(self, stored: Document, attempted_at: datetime) -> bool:
        """Whether another process has saved ``stored`` since then."""
        changed_at: datetime | None = stored.get("updated_at")
        if changed_at is None:
            return False
        return changed_at > attempted_at and changed_at != self._written.get(stored["id"])

    def was_written_as(self, stored: Document) -> None:
        """Remember that a kept save wrote ``stored``, so that it does not count as newer."""
        self._written[stored["id"]] = stored["updated_at"]

    def drop(self, save: PendingSave) -> None:
        """Drop a save that was written or is obsolete."""
        with self._lock:
            for key, kept in self._saves.items():
                if kept is save:
                    del self._saves[key]
                    break
            if not self._saves:
                self._written.clear()

    def forget(self, id: str | None = None) -> None:
        """Drop the kept saves of a deleted token, or of all tokens if there is no id."""
        with self._lock:
            for key, save in list(self._saves.items()):
                if id is None or save.document.get("id") == id:
                    del self._saves[key]

    def give_up(self) -> None:
        """Drop everything, logging each lost token at ERROR."""
        with self._lock:
            lost = list(self._saves.values())
            self._saves.clear()
        for save in lost:
            logger.error("The token with %s is lost: MongoDB could not be reached", save)
            self._events.emit("save_lost", save.fields, reason=_UNREACHABLE)

    def after_fork(self) -> None:
        """Start empty in a forked child: the parent writes its own saves."""
        self._saves = {}
        self._written = {}
        self._lock = threading.RLock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept. A save that is being written is kept until it is stored."""
        return not self._saves

    def __bool__(self) -> bool:
        """Whether anything is kept or being written: a deletion has to wait for that."""
        return bool(self._saves) or self.writing.held
