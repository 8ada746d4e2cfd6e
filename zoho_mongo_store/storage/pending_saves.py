"""Saves that could not reach MongoDB, kept in memory until they can."""

import logging
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import NamedTuple

import pymongo
from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.driver.timed_lock import TimedLock
from zoho_mongo_store.errors import failure, is_unreachable
from zoho_mongo_store.events import EventName, Events
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.lookup import Filter, save_filters
from zoho_mongo_store.model.matching import matches
from zoho_mongo_store.model.token_documents import TokenDocuments
from zoho_mongo_store.storage.upsert import (
    REDEEMED_FIELDS,
    compare_and_set_access_token,
    upsert,
)

logger = logging.getLogger("zoho_mongo_store")

_UNREACHABLE = "MongoDB could not be reached"


class PendingSave(NamedTuple):
    """A save that has to be written yet.

    Attributes:
        fields: What was to be saved.
        attempted_at: When it was first tried.
        keep_access_token: As for ``upsert``.
        redeemed: For a refresh, the document whose credential was redeemed.
    """

    fields: Document
    attempted_at: datetime
    keep_access_token: bool
    redeemed: Document | None

    @property
    def document(self) -> Document:
        """The token as it will be stored, as far as that is known without MongoDB."""
        return self.applied_to(self.redeemed or {})

    def applied_to(self, stored: Document) -> Document:
        """Show ``stored`` as it will be after the save."""
        changes = dict(self.fields)
        if self.redeemed is not None:
            if stored.get("access_token") != self.redeemed.get("access_token"):
                return stored
            changes = {field: changes[field] for field in REDEEMED_FIELDS if field in changes}
        elif self.keep_access_token and stored:
            changes = {field: changes[field] for field in changes if field not in REDEEMED_FIELDS}
        result = dict(stored)
        if changes.get("access_token", result.get("access_token")) != result.get("access_token"):
            # An access token never gets another one's expiry.
            result.pop("expiry_time", None)
        return {**result, **changes, **({"id": stored["id"]} if "id" in stored else {})}

    def is_of(self, document: Document) -> bool:
        """Tell whether it is a save of the token in ``document``."""
        own = self.document
        return any(matches(document, one) for one in save_filters(own)) or any(
            matches(own, one) for one in save_filters(document)
        )

    def __str__(self) -> str:
        """Name the token, without any secret."""
        return f"id {self.fields.get('id')}, user {self.fields.get('user_name')}"


_Told = tuple[EventName, Document, str | None]


class PendingSaves:
    """The newest failed saves of each token, in the order in which they failed.

    The SDK swallows what ``save_token`` raises (oauth_token.py, ``get_token``), and by then the
    grant token, which is good for one exchange, is spent. Without this a login during a short
    outage would be lost.
    """

    def __init__(self, events: Events) -> None:
        """Create it empty.

        Args:
            events: Where ``save_kept``, ``save_written`` and ``save_lost`` are told.
        """
        self._events = events
        self._saves: dict[str, PendingSave] = {}
        self._written: dict[str, datetime] = {}
        self._lock = threading.RLock()
        self._gate = TimedLock()
        reset_after_fork(self)

    def keep(
        self,
        fields: Document,
        attempted_at: datetime,
        *,
        keep_access_token: bool = False,
        redeemed: Document | None = None,
    ) -> None:
        """Keep a save, in place of an older one of the same kind and token.

        Args:
            fields: The fields to save. What only the older save had is kept too.
            attempted_at: When it was first tried. A save of another process after that is newer.
            keep_access_token: As for ``upsert``.
            redeemed: For a refresh, the document whose credential was redeemed; it is then written
                by ``compare_and_set_access_token``.
        """
        save = PendingSave(fields, attempted_at, keep_access_token, redeemed)
        kind = (keep_access_token, redeemed is not None)
        key = f"{kind} {save_filters(fields)[:1] or fields!r}"
        with self._lock:
            older = self._saves.pop(key, None)
            if older is not None and redeemed is None:
                merged = save.applied_to(older.fields) if not keep_access_token else fields
                save = save._replace(fields={**merged, **fields})
            self._saves[key] = save
        self._events.emit("save_kept", fields, reason=_UNREACHABLE)

    def find(self, filters: list[Filter]) -> Document | None:
        """Find a token among what is kept.

        Returns:
            The token that the first matching filter finds, as it will be stored.
        """
        with self._lock:
            saves = list(self._saves.values())
        for candidate in filters:
            for save in reversed(saves):
                if matches(save.document, candidate):
                    return self.applied_to(save.document)
        return None

    def applied_to(self, stored: Document) -> Document:
        """Show a document as it will be when the kept saves of its token are written."""
        with self._lock:
            saves = list(self._saves.values())
        for save in saves:
            if save.is_of(stored) and not self._is_newer(stored, save.attempted_at):
                stored = save.applied_to(stored)
        return stored

    def has_save_of(self, fields: Document) -> bool:
        """Tell whether a save of the token with these fields is kept."""
        with self._lock:
            return any(save.is_of(fields) for save in self._saves.values())

    def flush(
        self,
        collection: TokenDocuments,
        timeout: float,
        *,
        only: Document | None = None,
        each: float | None = None,
        on_written: Callable[[], object] = lambda: None,
    ) -> None:
        """Write what is kept.

        A token that another process saved after the save was tried stays as it is. A save that
        MongoDB refuses is given up and logged at ERROR.

        Args:
            collection: Where to write; it reads from the primary.
            timeout: Seconds to wait for another thread that is writing.
            only: Write only the saves of the token with these fields. Default: all.
            each: Seconds that each save may take. One that takes longer stays kept, and the next
                is tried: a new primary has it at once, and may have to wait long for the majority.
                Default: as long as the caller's ``pymongo.timeout``, and none is tried after it.
            on_written: Called when one is written, before any event is told. It must not call the
                store.

        Raises:
            PyMongoError: MongoDB still cannot be reached. What is not written stays kept.
        """
        told: list[_Told] = []
        try:
            with self._gate.hold(timeout):
                failed = self._write_all(collection, only, each, told, on_written)
                if not self._saves:
                    self._written.clear()
            if failed is not None:
                raise failed
        finally:
            # A handler may call the store, so not while others are kept out.
            for name, document, reason in told:
                self._events.emit(name, document, reason=reason)

    def forget(self, id: str | None = None) -> None:
        """Drop what is kept for the token with this id, or for all: it was deleted."""
        with self._lock:
            for key, save in list(self._saves.items()):
                if id is None or save.document.get("id") == id:
                    del self._saves[key]

    def give_up(self) -> None:
        """Drop everything, with an ERROR for each token that is lost."""
        with self._lock:
            lost = list(self._saves.values())
            self._saves.clear()
        for save in lost:
            logger.error("The token with %s is lost: MongoDB could not be reached", save)
            self._events.emit("save_lost", save.fields, reason=_UNREACHABLE)

    def after_fork(self) -> None:
        """Begin empty in a forked child: the parent writes its own."""
        self._saves = {}
        self._written = {}
        self._lock = threading.RLock()

    def __bool__(self) -> bool:
        """Whether anything is kept, or just being written: a deletion has to wait for that."""
        return bool(self._saves) or self._gate.held

    def _write_all(
        self,
        collection: TokenDocuments,
        only: Document | None,
        each: float | None,
        told: list[_Told],
        on_written: Callable[[], object],
    ) -> PyMongoError | None:
        """Write what is kept, the oldest first; the error of the last that could not be."""
        failed: PyMongoError | None = None
        tried: set[int] = set()
        while (entry := self._oldest(only, tried)) is not None:
            key, save = entry
            tried.add(id(save))
            try:
                with nullcontext() if each is None else pymongo.timeout(each):
                    told += self._try(collection, save)
            except PyMongoError as error:
                if each is None or not error.timeout:
                    return error
                failed = error
                continue
            on_written()
            with self._lock:
                if self._saves.get(key) is save:
                    del self._saves[key]
        return failed

    def _oldest(self, only: Document | None, tried: set[int]) -> tuple[str, PendingSave] | None:
        with self._lock:
            for key, save in self._saves.items():
                if id(save) not in tried and (only is None or save.is_of(only)):
                    return key, save
        return None

    def _try(self, collection: TokenDocuments, save: PendingSave) -> list[_Told]:
        try:
            stored = self._write(collection, save)
        except Exception as error:
            if is_unreachable(error):
                raise
            reason = failure("save_token", error)
            logger.error("The kept save of the token with %s is lost: %s", save, reason)
            return [("save_lost", save.fields, str(reason))]
        if stored is None:
            logger.warning("The kept save of the token with %s came too late", save)
            return []
        self._written[stored["id"]] = stored["updated_at"]
        logger.warning("The kept save of the token with %s is written", save)
        return [("save_written", stored, None)]

    def _write(self, collection: TokenDocuments, save: PendingSave) -> Document | None:
        if save.redeemed is not None:
            return compare_and_set_access_token(collection, save.redeemed, save.fields)
        stored = _find(collection, save.fields)
        if stored is not None and self._is_newer(stored, save.attempted_at):
            # It is its own where MongoDB wrote it and the answer was lost.
            is_own = all(stored.get(one) == save.fields[one] for one in save.fields if one != "id")
            return stored if is_own else None
        return upsert(collection, save.fields, keep_access_token=save.keep_access_token)

    def _is_newer(self, stored: Document | None, attempted_at: datetime) -> bool:
        """Whether another process saved it after that; what was written here is older."""
        changed_at: datetime | None = None if stored is None else stored.get("updated_at")
        if stored is None or changed_at is None:
            return False
        return changed_at > attempted_at and changed_at != self._written.get(stored["id"])


def _find(collection: TokenDocuments, fields: Document) -> Document | None:
    for candidate in save_filters(fields):
        stored = collection.find_one(candidate)
        if stored is not None:
            return stored
    return None
