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
    """A save that is over, and the document that it led to; ``None`` if to none."""

    save: PendingSave
    stored: Document | None
    lost: str | None = None
    login: EventName | None = None


class PendingWriter:
    """Writes what is kept, the oldest first, by one thread at a time.

    A new primary has a write at once, but its acknowledgement by the majority may take seconds: a
    secondary that replicated from a hanging member has to find another source first. So all that is
    kept is written with the primary's acknowledgement alone, and one more command waits for the
    majority to have it. Until then it stays kept.
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
            pending: What is kept.
            documents: Gives the collection on the primary. Its argument says whether writes wait
                for what the user's write concern asks for, or for the primary alone.
            events: Where ``save_written``, ``save_lost`` and logins are told.
            on_stored: Called with each document that was written, while its save is still kept.
        """
        self._pending = pending
        self._documents = documents
        self._events = events
        self._on_stored = on_stored
        # Writing a save again makes its token no older, but its first save no first one any more.
        self._inserted: set[str] = set()

    def flush(
        self,
        timeout: float,
        *,
        only: Document | None = None,
        each: float | None = None,
        on_acknowledged: Callable[[], object] = lambda: None,
    ) -> None:
        """Write what is kept now; what is kept meanwhile waits for the next call.

        A token that another process saved after the save was tried stays as it is. A save that
        MongoDB refuses is given up and logged at ERROR.

        Args:
            timeout: Seconds to wait for another thread that is writing.
            only: Write only the saves of the token with these fields. Default: all.
            each: Seconds that each command may take. Default: as long as the caller's
                ``pymongo.timeout``.
            on_acknowledged: Called when the majority has what was written, before any event is
                told. It must not call the store.

        Raises:
            PyMongoError: MongoDB still cannot be reached. What is not written stays kept.
        """
        with self._pending.writing.hold(timeout):
            written, failed = self._write_all(only, each)
            self._acknowledge(written, each)
            written = [self._note_login(one, each) for one in written]
            if written:
                on_acknowledged()
            for one in written:
                self._pending.drop(one.save)
        # A handler may call the store, so not while others are kept out.
        for one in written:
            self._tell(one)
        if failed is not None:
            raise failed

    def _write_all(
        self, only: Document | None, each: float | None
    ) -> tuple[list[_Written], PyMongoError | None]:
        """Write what is kept until that fails; what was written, and the error."""
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
        """Wait until the majority has what was written: a write that changes nothing does."""
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
        """End that a login is required, where the save was one; see ``note_login``."""
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
        """Write a save; ``None`` if what is stored is newer."""
        if save.redeemed is not None:
            changed = compare_and_set_access_token(documents, save.redeemed, save.fields)
            return changed or documents.find_one(
                {"id": save.redeemed["id"], "access_token": save.fields["access_token"]}
            )
        stored = first_match(documents, save_filters(save.fields))
        if stored is not None and self._pending.is_newer(stored, save.attempted_at):
            # It is its own where MongoDB wrote it and the answer was lost.
            is_own = all(stored.get(one) == save.fields[one] for one in save.fields if one != "id")
            return stored if is_own else None
        return upsert(documents, save.fields, keep_access_token=save.keep_access_token)

    def _tell(self, one: _Written) -> None:
        name: EventName = "save_written"
        if one.lost is not None:
            logger.error("The kept save of the token with %s is lost: %s", one.save, one.lost)
            name = "save_lost"
        elif one.stored is None:
            logger.warning("The kept save of the token with %s came too late", one.save)
            return
        else:
            logger.warning("The kept save of the token with %s is written", one.save)
        told = one.stored or one.save.fields
        self._events.emit(name, told, reason=one.lost)
        if one.login is not None:
            self._events.emit(one.login, told)


def _bounded(seconds: float | None) -> AbstractContextManager[None]:
    return nullcontext() if seconds is None else pymongo.timeout(seconds)
