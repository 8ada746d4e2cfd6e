"""Caches tokens in memory: found without a command, and while MongoDB is away."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.model.lookup import Filter
from zoho_mongo_store.model.matching import matches
from zoho_mongo_store.storage.cache_policy import CachePolicy

_Key = tuple[str, str]


class Asked(NamedTuple):
    """When MongoDB was asked for something that the cache may hold.

    Attributes:
        at: The time, by ``time.monotonic``.
        generation: The number of changes that this process had made by then.
    """

    at: float
    generation: int


class _Entry:
    """A token as it was found.

    Attributes:
        document: The document, with its secrets in plain text.
        fresh_until: Until when it is used without a command, by ``time.monotonic``.
        usable_until: Until when it is used at all: then its access token is about to expire.
        keys: The keys that it is looked up by.
    """

    __slots__ = ("document", "fresh_until", "keys", "usable_until")

    def __init__(self, document: Document, fresh_until: float, usable_until: float) -> None:
        self.document = document
        self.fresh_until = min(fresh_until, usable_until)
        self.usable_until = usable_until
        self.keys: set[_Key] = set()


class TokenCache:
    """The tokens that this process found recently, each held once, whichever look-ups found it.

    It never answers that there is no token, and never with one that is about to expire: MongoDB may
    already have a refreshed one.
    """

    def __init__(
        self,
        policy: CachePolicy,
        margin: timedelta,
        host_ahead: Callable[[], timedelta | None],
    ) -> None:
        """Create an empty cache.

        Args:
            policy: How long tokens are used, and how many are held.
            margin: How long before its access token's expiry a token is no longer used.
            host_ahead: Returns how far this host's clock is ahead of MongoDB's, by which tokens
                expire; ``None`` if unknown: then nothing is held.
        """
        self._max_age = policy.max_age.total_seconds()
        self._stale_if_error = policy.stale_if_error.total_seconds()
        self._max_tokens = policy.max_tokens
        self._margin = margin
        self._host_ahead = host_ahead
        self._closed = False
        self._outage_began: float | None = None
        self.after_fork()
        reset_after_fork(self)

    def ask(self) -> Asked:
        """Note that MongoDB is about to be asked; for ``remember`` and ``update``."""
        return Asked(time.monotonic(), self._generation)

    def fresh(self, filters: list[Filter]) -> Document | None:
        """Answer a look-up without a command.

        Args:
            filters: Filters in the order in which to try them. Only the first one is answered: if
                it is not in the cache, MongoDB may still have a match for it.

        Returns:
            The document, or ``None`` if MongoDB must be asked.
        """
        entry = self._entry(filters)
        if entry is None or time.monotonic() >= entry.fresh_until:
            return None
        return entry.document

    def stale(self, filters: list[Filter], asked: Asked) -> Document | None:
        """Answer a look-up that MongoDB did not answer.

        Args:
            filters: As for ``fresh``.
            asked: When MongoDB was asked. The outage began with the first look-up that failed.

        Returns:
            The document, or ``None``.
        """
        with self._lock:
            began = min(self._outage_began or asked.at, asked.at)
            self._outage_began = began
        entry = self._entry(filters)
        moment = time.monotonic()
        if entry is None or moment >= min(began + self._stale_if_error, entry.usable_until):
            return None
        return entry.document

    def remember(self, filters: list[Filter], found: Document | None, asked: Asked) -> None:
        """Hold what a look-up found, unless this process has changed a token in the meantime.

        Args:
            filters: The filters of the look-up.
            found: What was found; ``None`` if there is no such token.
            asked: When MongoDB was asked.
        """
        entry = None if found is None else self._new_entry(found, asked)
        with self._lock:
            self._outage_began = None
            if asked.generation != self._generation or self._closed:
                return
            if found is None:
                for one in filters:
                    self._drop(self._ids.get(_key(one)))
            elif not self._is_newer_than(found):
                keys = [_key(filters[0])] if matches(found, filters[0]) else []
                self._hold(found, entry, keys)

    def update(self, stored: Document, asked: Asked) -> None:
        """Update a held token with what this process has written to it.

        Args:
            stored: The token after the write.
            asked: When the write began. If there was another change since, the token is forgotten:
                it is not known which of the two came last.
        """
        entry = self._new_entry(stored, asked)
        id = stored["id"]
        with self._lock:
            is_last = asked.generation == self._generation
            self._generation += 1
            namesake = self._ids.get(("user_name", stored.get("user_name", "")))
            if namesake != id:
                # The name has moved to this token.
                self._drop(namesake)
            if id in self._entries:
                self._hold(stored, entry if is_last else None, [])

    def forget(self, id: str | None = None) -> None:
        """Forget the token with this id, or all of them if it is ``None``."""
        with self._lock:
            self._generation += 1
            if id is not None:
                self._drop(id)
            else:
                self._entries.clear()
                self._ids.clear()

    def close(self) -> None:
        """Forget all tokens, and stop holding any."""
        with self._lock:
            self._closed = True
        self.forget()

    def __len__(self) -> int:
        """Return the number of held tokens."""
        return len(self._entries)

    def after_fork(self) -> None:
        """Start empty in a forked child."""
        self._lock = threading.RLock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._ids: dict[_Key, str] = {}
        self._generation = 0
        self._outage_began = None

    def _entry(self, filters: list[Filter]) -> _Entry | None:
        """Find the entry that the first filter matches."""
        if not filters:
            return None
        first = filters[0]
        with self._lock:
            id = self._ids.get(_key(first))
            entry = None if id is None else self._entries.get(id)
            if id is None or entry is None or not matches(entry.document, first):
                return None
            self._entries.move_to_end(id)
        return entry

    def _new_entry(self, document: Document, asked: Asked) -> _Entry | None:
        """Create an entry, or return ``None`` if the token should not be held."""
        if "access_token" not in document:
            return None
        usable_until = float("inf")
        if "expiry_time" in document:
            ahead = self._host_ahead()
            if ahead is None:
                return None
            good_for = document["expiry_time"] - (now() - ahead) - self._margin
            usable_until = time.monotonic() + good_for.total_seconds()
            if good_for <= timedelta(0):
                return None
        return _Entry(document, asked.at + self._max_age, usable_until)

    def _is_newer_than(self, found: Document) -> bool:
        """Whether the held token is newer than ``found``, which may be from a secondary."""
        entry = self._entries.get(found["id"])
        held = None if entry is None else entry.document.get("updated_at")
        return held is not None and "updated_at" in found and bool(held > found["updated_at"])

    def _hold(self, document: Document, entry: _Entry | None, keys: list[_Key]) -> None:
        """Replace the held entry of a token. ``None`` only drops it.

        The entry is found by id and user name, which are unique, and by other keys that have led to
        it and still match.
        """
        id = document["id"]
        older = self._drop(id)
        if entry is None:
            return
        if older is not None:
            keys = [*keys, *(key for key in older.keys if document.get(key[0]) == key[1])]
        unique = [(field, document[field]) for field in ("id", "user_name") if field in document]
        entry.keys.update(keys, unique)
        for key in entry.keys:
            self._ids[key] = id
        self._entries[id] = entry
        if len(self._entries) > self._max_tokens:
            self._drop(next(iter(self._entries)))

    def _drop(self, id: str | None) -> _Entry | None:
        entry = None if id is None else self._entries.pop(id, None)
        for key in () if entry is None else entry.keys:
            if self._ids.get(key) == id:
                del self._ids[key]
        return entry


def _key(filter: Filter) -> _Key:
    """Return what a filter of the find order looks up: its first condition, an equality."""
    return next(iter(filter.items()))
