"""Saves that could not reach MongoDB, kept in memory until they can."""

import logging
import threading
from datetime import datetime
from typing import NamedTuple

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.driver.timed_lock import TimedLock
from zoho_mongo_store.errors import failure, is_unreachable
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.lookup import save_filters
from zoho_mongo_store.model.token_documents import TokenDocuments
from zoho_mongo_store.storage.upsert import compare_and_set_access_token, upsert

logger = logging.getLogger("zoho_mongo_store")


class _Save(NamedTuple):
    fields: Document
    attempted_at: datetime
    keep_access_token: bool
    redeemed: Document | None

    def __str__(self) -> str:
        return f"id {self.fields.get('id')}, user {self.fields.get('user_name')}"


class PendingSaves:
    """The newest failed save of each token, in the order of their failing.

    The SDK swallows what ``save_token`` raises (oauth_token.py, ``get_token``) while the grant
    token, good for one exchange, is gone: without this a login made during a short outage is lost.
    """

    def __init__(self) -> None:
        self._saves: dict[str, _Save] = {}
        self._written: dict[str, datetime] = {}
        self._lock = threading.Lock()
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
        """Keep a save, in place of an older one of the same token.

        Args:
            fields: The fields to save.
            attempted_at: When it was first tried. A save of another process after that is newer.
            keep_access_token: As for ``upsert``.
            redeemed: For a refresh, the document whose credential was redeemed; it is then written
                by ``compare_and_set_access_token``.
        """
        key = repr(save_filters(fields)[:1] or fields)
        with self._lock:
            self._saves.pop(key, None)
            self._saves[key] = _Save(fields, attempted_at, keep_access_token, redeemed)

    def flush(self, collection: TokenDocuments, timeout: float) -> None:
        """Write what is kept.

        A token that another process saved after the save was tried stays as it is. A save that
        MongoDB refuses is given up and logged at ERROR.

        Args:
            collection: Where to write.
            timeout: Seconds to wait for another thread that is writing.

        Raises:
            PyMongoError: MongoDB still cannot be reached. What is not written stays kept.
        """
        with self._gate.hold(timeout):
            while (entry := self._oldest()) is not None:
                key, save = entry
                try:
                    self._write(collection, save)
                except Exception as error:
                    if is_unreachable(error):
                        raise
                    logger.error(
                        "The kept save of the token with %s is lost: %s",
                        save,
                        failure("save_token", error),
                    )
                with self._lock:
                    if self._saves.get(key) is save:
                        del self._saves[key]
            self._written.clear()

    def forget(self, id: str | None = None) -> None:
        """Drop what is kept for the token with this id, or for all: it was deleted."""
        with self._lock:
            for key, save in list(self._saves.items()):
                if id is None or save.fields.get("id") == id:
                    del self._saves[key]

    def give_up(self) -> None:
        """Drop everything, with an ERROR for each token that is lost."""
        with self._lock:
            for save in self._saves.values():
                logger.error("The token with %s is lost: MongoDB could not be reached", save)
            self._saves.clear()

    def after_fork(self) -> None:
        """A forked child starts empty: the parent writes its own."""
        self._saves = {}
        self._written = {}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """Whether anything is kept, or just being written: a deletion has to wait for that."""
        return bool(self._saves) or self._gate.held

    def _oldest(self) -> tuple[str, _Save] | None:
        with self._lock:
            return next(iter(self._saves.items()), None)

    def _write(self, collection: TokenDocuments, save: _Save) -> None:
        if save.redeemed is not None:
            stored = compare_and_set_access_token(collection, save.redeemed, save.fields)
        elif self._is_newer(_find(collection, save.fields), save.attempted_at):
            stored = None
        else:
            stored = upsert(collection, save.fields, keep_access_token=save.keep_access_token)
        if stored is None:
            logger.warning("The kept save of the token with %s came too late", save)
            return
        self._written[stored["id"]] = stored["updated_at"]
        logger.warning("The kept save of the token with %s is written", save)

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
