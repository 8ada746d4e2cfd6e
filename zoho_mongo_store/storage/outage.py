"""Serving tokens from memory while MongoDB cannot be reached."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from pymongo.errors import InvalidOperation, PyMongoError

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.errors import InvalidInputError, StoreError, is_unreachable
from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.model.lookup import Filter

logger = logging.getLogger("zoho_mongo_store")

_PROBE_PAUSE = 0.5
_MOST_DOCUMENTS = 10_000


class _Seen(NamedTuple):
    """The ids that look-ups led to, by the text of the look-up, and the documents by id."""

    ids: "OrderedDict[str, str]"
    documents: dict[str, Document]


class OutageMemory:
    """Remembers the documents that were found, for use while MongoDB is away."""

    def __init__(self, limit: timedelta, probe: Callable[[], object]) -> None:
        """Create an empty memory.

        Args:
            limit: For how long into an outage tokens are served from memory.
            probe: Reaches MongoDB, or raises. During an outage a thread of its own calls it, so
                that no caller waits for a time-out; the thread ends with the outage.
        """
        if not isinstance(limit, timedelta) or limit <= timedelta(0):
            raise InvalidInputError("serve_through_outage has to be a positive timedelta or None")
        self._limit = limit.total_seconds()
        self._probe = probe
        self._away_since: float | None = None
        self._closed = threading.Event()
        self.after_fork()
        reset_after_fork(self)

    @property
    def serving(self) -> bool:
        """Whether MongoDB is away, and has been for less than the limit."""
        since = self._away_since
        return since is not None and time.monotonic() - since < self._limit

    def recall(self, filters: list[Filter]) -> Document | None:
        """Answer a look-up from memory.

        Returns:
            The document that the same look-up found last, if MongoDB is away and its access token
            has not expired; else ``None``.
        """
        if not self.serving:
            return None
        with self._lock:
            document = self._seen.documents.get(self._seen.ids.get(repr(filters), ""))
        if document is None or "access_token" not in document:
            return None
        expiry = document.get("expiry_time")
        return document if expiry is None or expiry > now() else None

    def remember(self, filters: list[Filter], stored: Document | None) -> None:
        """Keep what a look-up found; ``None`` if it found nothing."""
        key = repr(filters)
        with self._lock:
            ids, documents = self._seen
            if stored is None:
                documents.pop(ids.pop(key, ""), None)
                return
            ids[key] = stored["id"]
            ids.move_to_end(key)
            documents[stored["id"]] = stored
            if len(ids) > _MOST_DOCUMENTS:
                _, oldest = ids.popitem(last=False)
                documents.pop(oldest, None)

    def begin_outage(self) -> None:
        """Note that MongoDB cannot be reached, and probe it in the background from now on."""
        with self._lock:
            if self._away_since is not None:
                return
            self._away_since = time.monotonic()
        logger.error(
            "MongoDB cannot be reached: tokens are served from memory for up to %.0f s", self._limit
        )
        threading.Thread(target=self._watch, name="zoho-mongo-store-outage", daemon=True).start()

    def update(self, stored: Document) -> None:
        """Replace what is remembered of a document that was written."""
        with self._lock:
            if stored["id"] in self._seen.documents:
                self._seen.documents[stored["id"]] = stored

    def forget(self, id: str | None = None) -> None:
        """Forget the document with this id, or all of them if it is ``None``."""
        with self._lock:
            if id is None:
                self._seen = _Seen(OrderedDict(), {})
            else:
                self._seen.documents.pop(id, None)

    def close(self) -> None:
        """End the probing thread, if it runs."""
        self._closed.set()

    def after_fork(self) -> None:
        """Begin empty in a forked child, which has no probing thread."""
        closed = self._closed.is_set()
        self._closed = threading.Event()
        if closed:
            self._closed.set()
        self._lock = threading.Lock()
        self._away_since = None
        self._seen = _Seen(OrderedDict(), {})

    def _watch(self) -> None:
        while not self._closed.wait(_PROBE_PAUSE):
            try:
                self._probe()
            except (StoreError, InvalidOperation):
                return  # Closed meanwhile.
            except PyMongoError as error:
                if is_unreachable(error):
                    continue
                # It answers, if only to refuse: what callers are to see, not the memory.
            self._away_since = None
            logger.warning("MongoDB is reached again")
            return
