"""Saves that could not reach MongoDB, kept in memory until they can."""

import logging
import threading
from datetime import datetime
from typing import NamedTuple

from pymongo.collection import Collection

from zoho_mongo_store.document import Document, now
from zoho_mongo_store.errors import failure, is_unreachable
from zoho_mongo_store.fork import reset_after_fork
from zoho_mongo_store.lookup import save_filters
from zoho_mongo_store.upsert import upsert

logger = logging.getLogger("zoho_mongo_store")


class _Save(NamedTuple):
    fields: Document
    failed_at: datetime

    def __str__(self) -> str:
        return f"id {self.fields.get('id')}, user {self.fields.get('user_name')}"


class PendingSaves:
    """The newest failed save of each token, in the order of their failing.

    The SDK swallows what ``save_token`` raises (oauth_token.py, ``get_token``) while the grant
    token, good for one exchange, is gone: without this a login made during a short outage is lost.
    """

    def __init__(self) -> None:
        self._saves: dict[str, _Save] = {}
        self._lock = threading.Lock()
        reset_after_fork(self)

    def keep(self, fields: Document) -> None:
        """Keep a save for later, in place of an older one of the same token."""
        key = repr(save_filters(fields)[:1] or fields)
        with self._lock:
            self._saves.pop(key, None)
            self._saves[key] = _Save(fields, now())

    def flush(self, collection: Collection[Document]) -> None:
        """Write what is kept; raises what says that MongoDB still cannot be reached.

        A token that another process saved after the failure is left as it is. A save that MongoDB
        refuses for another reason is given up with an ERROR.
        """
        while self._saves:
            with self._lock:
                if not self._saves:
                    return
                key = next(iter(self._saves))
                save = self._saves[key]
                try:
                    _write(collection, save)
                except Exception as error:
                    if is_unreachable(error):
                        raise
                    logger.error(
                        "The kept save of the token with %s is lost: %s",
                        save,
                        failure("save_token", error),
                    )
                else:
                    logger.warning("The kept save of the token with %s is written", save)
                del self._saves[key]

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
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._saves)


def _write(collection: Collection[Document], save: _Save) -> None:
    for candidate in save_filters(save.fields):
        stored = collection.find_one(candidate)
        if stored is not None:
            if stored["updated_at"] <= save.failed_at:
                break
            return
    upsert(collection, save.fields)
