"""Writes the saves that were kept while MongoDB could not be reached."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import pymongo
from pymongo.errors import PyMongoError

from zoho_mongo_store.errors import failure, is_unreachable
from zoho_mongo_store.events import EventName, Events
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.login import is_first_save
from zoho_mongo_store.model.lookup import save_filters
from zoho_mongo_store.model.token_documents import TokenDocuments
from zoho_mongo_store.signals import is_from_handler
from zoho_mongo_store.storage.first_match import first_match
from zoho_mongo_store.storage.login_state import note_login
from zoho_mongo_store.storage.pending_save import PendingSave
from zoho_mongo_store.storage.pending_saves import PendingSaves
from zoho_mongo_store.storage.upsert import compare_and_set_access_token, upsert

logger = logging.getLogger("zoho_mongo_store")


class _Written(NamedTuple):
    """A finished save and the document that it wrote, if any."""

    save: PendingSave
    stored: Document | None
    lost: str | None = None
    login: EventName | None = None


class PendingWriter:
    """Writes the kept saves, oldest first, by one thread at a time.

    A new primary takes a write at once, but it may be seconds until a majority has acknowledged it:
    a secondary that replicated from a hanging member must find another source first. So all saves
    are written with only the primary's acknowledgement, and one more command waits for the
    majority. Until then they are still kept.
    """

    def __init__(
        self,
        pending: PendingSaves,
        documents: Callable[[bool], TokenDocuments],
        events: Events,
        on_stored: Callable[[Document], object],
    ) -> None:
        """Create it.

        Args:
            pending: The kept saves.
            documents: Returns the collection on the primary. Its argument says whether writes use
                the user's write concern, or wait only for the primary.
            events: Where ``save_written``, ``save_lost`` and logins are emitted.
            on_stored: Called with each written document, while its save is still kept.
        """
        self._pending = pending
        self._documents = documents
        self._events = events
        self._on_stored = on_stored
        # A save that is written twice looks like an update the second time, even if it inserted.
        self._inserted: set[str] = set()

    def flush(
        self,
        timeout: float,
        *,
        only: Document | None = None,
        each: float | None = None,
        on_acknowledged: Callable[[], object] = lambda: None,
    ) -> None:
        """Write the saves that are kept now. Those added meanwhile wait for the next call.

        A token that another process has saved since the save was attempted is left alone. A save
        that MongoDB refuses is given up and logged at ERROR.

        Args:
            timeout: Seconds to wait for another thread that is writing.
            only: Write only the saves of the token with these fields. Default: all.
            each: Seconds that each command may take. Default: the caller's ``pymongo.timeout``.
            on_acknowledged: Called when the majority has acknowledged the writes, before any event
                is emitted. It must not call the store.

        Raises:
            PyMongoError: MongoDB still cannot be reached. Saves that are not written stay kept.
        """
        with self._pending.writing.hold(timeout):
            written, failed = self._write_all(only, each)
            self._acknowledge(written, each)
            written = [self._note_login(one, each) for one in written]
            if written:
                on_acknowledged()
            for one in written:
                self._pending.drop(one.save)
        # After the lock is released: a handler may call the store.
        for one in written:
            self._tell(one)
        if failed is not None:
            raise failed

    def _write_all(
        self, only: Document | None, each: float | None
    ) -> tuple[list[_Written], PyMongoError | None]:
        """Write the kept saves until one fails. Returns what was written, and the error."""
        documents = self._documents(False)
        written: list[_Written] = []
        for save in self._pending.waiting(only):
            if not self._pending.holds(save):
                continue
            try:
                with _bounded(each):
                    written.append(self._try(documents, save))
            except PyMongoError as error:
                return written, error
        return written, None

    def _acknowledge(self, written: list[_Written], each: float | None) -> None:
        """Wait until the majority has the writes, by a majority write that changes nothing."""
        newest = next((one.stored for one in reversed(written) if one.stored is not None), None)
        if newest is not None:
            with _bounded(each):
                self._documents(True).update_one(
                    {"id": newest["id"]}, {"$set": {"id": newest["id"]}}
                )

    def _try(self, documents: TokenDocuments, save: PendingSave) -> _Written:
        try:
            stored = self._write(documents, save)
        except Exception as error:
            if is_unreachable(error) or is_from_handler(error):
                raise
            return _Written(save, None, str(failure("save_token", error)))
        if stored is not None:
            if is_first_save(stored):
                self._inserted.add(stored["id"])
            self._pending.was_written_as(stored)
            self._on_stored(stored)
        return _Written(save, stored)

    def _note_login(self, one: _Written, each: float | None) -> _Written:
        """If the save was a login, record that none is required any more; see ``note_login``."""
        if one.stored is None:
            return one
        is_login = one.save.is_login or one.stored["id"] in self._inserted
        try:
            with _bounded(each):
                login = note_login(
                    self._documents(True),
                    one.stored,
                    is_login=is_login,
                    is_redeemed=one.save.redeemed is not None,
                )
        except Exception as error:
            if is_unreachable(error) or is_from_handler(error):
                raise
            logger.error("%s", failure("save_token", error))
            return one
        self._inserted.discard(one.stored["id"])
        return one._replace(login=login)

    def _write(self, documents: TokenDocuments, save: PendingSave) -> Document | None:
        """Write a save. Returns ``None`` if the stored token is newer."""
        if save.redeemed is not None:
            changed = compare_and_set_access_token(documents, save.redeemed, save.fields)
            return changed or documents.find_one(
                {"id": save.redeemed["id"], "access_token": save.fields["access_token"]}
            )
        stored = first_match(documents, save_filters(save.fields))
        if stored is not None and self._pending.is_newer(stored, save.attempted_at):
            # MongoDB may have written this very save, and only the answer was lost.
            is_own = all(stored.get(one) == save.fields[one] for one in save.fields if one != "id")
            return stored if is_own else None
        return upsert(documents, save.fields, keep_access_token=save.keep_access_token)

    def _tell(self, one: _Written) -> None:
        name: EventName = "save_written"
        if one.lost is not None:
            logger.error("The kept save of the token with %s is lost: %s", one.save, one.lost)
            name = "save_lost"
        elif one.stored is None:
            logger.warning(
                "The kept save of the token with %s is dropped: the stored one is newer", one.save
            )
            return
        else:
            logger.warning("The kept save of the token with %s has been written", one.save)
        told = one.stored or one.save.fields
        self._events.emit(name, told, reason=one.lost)
        if one.login is not None:
            self._events.emit(one.login, told)


def _bounded(seconds: float | None) -> AbstractContextManager[None]:
    return nullcontext() if seconds is None else pymongo.timeout(seconds)
