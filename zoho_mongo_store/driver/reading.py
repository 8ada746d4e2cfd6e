"""Reads that survive the loss of a replica set's primary."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import pymongo
from pymongo.collection import Collection
from pymongo.errors import NetworkTimeout, PyMongoError

from zoho_mongo_store.driver import Document
from zoho_mongo_store.driver.availability import Availability, was_silent
from zoho_mongo_store.driver.deployment import Deployment, Members
from zoho_mongo_store.driver.one_secondary import Address, OneSecondary
from zoho_mongo_store.driver.views import Views, is_of_primary, may_ask_primary
from zoho_mongo_store.errors import is_unreachable

_Result = TypeVar("_Result")
Query = Callable[[Collection[Document]], _Result | None]
"""Queries a collection once; ``None`` means that there is no such document."""

# pymongo itself notices a silent member after its heartbeat of ten seconds or more.
_AVOIDED_SECONDS = 10.0


def patience(timeout: float) -> float:
    """Return how many seconds to wait for a silent primary if a secondary can answer.

    It is a fifth of the timeout, and at least one second as long as that leaves half of the timeout
    for the secondary.

    Args:
        timeout: Seconds that the whole operation may take.
    """
    return min(max(timeout / 5, 1.0), timeout / 2)


def remaining(deadline: float) -> float:
    """Return the seconds until ``deadline``: never zero, which pymongo takes as no limit."""
    return max(deadline - time.monotonic(), 0.001)


class Reader:
    """Reads from the primary, or from a secondary if the primary does not answer.

    If there is no primary, a secondary is asked at once. If the primary is silent, a secondary is
    asked after ``patience(timeout)``, and from then on at once until a probe reaches the primary
    again. Only a primary can confirm that a document does not exist: a recent write may not have
    reached the secondary yet.

    A read preference that the user chose is respected. Servers outside a replica set, and servers
    reached by a direct connection, are read as they are.
    """

    def __init__(self, availability: Availability, timeout: float) -> None:
        """Create a reader.

        Args:
            availability: What is known about the primary.
            timeout: Seconds that an operation may take.
        """
        self._availability = availability
        self._patience = patience(timeout)
        self._deployment = Deployment()
        self._views: Views | None = None
        self._silent: dict[Address, float] = {}

    @property
    def reads_secondaries(self) -> bool:
        """Whether the user's read preference lets a secondary answer even if there is a primary.

        Known after the first read or write.
        """
        return self._views is not None and not self._views.follows_primary

    def read(
        self,
        collection: Collection[Document],
        query: Query[_Result],
        deadline: float,
        *,
        trust_absence: bool = False,
    ) -> _Result | None:
        """Ask for a document.

        Args:
            collection: The collection, with the read preference that the user chose.
            query: Queries it once.
            deadline: When to give up, by ``time.monotonic``.
            trust_absence: Whether to accept ``None`` from a secondary too.

        Returns:
            What ``query`` returned.

        Raises:
            PyMongoError: No member answered in time, or only a secondary did, with ``None``.
        """
        views = self._views_of(collection)
        topology = self._deployment.look(collection)
        asked, seconds = self._first(views, topology, deadline)
        started = time.monotonic()
        try:
            with pymongo.timeout(seconds):
                found = query(asked)
        except PyMongoError as error:
            if not is_unreachable(error):
                raise
            timed_out = was_silent(error, started, seconds)
            if time.monotonic() >= deadline:
                self._availability.found_silent(started, away=timed_out, nobody=timed_out)
                raise
            if timed_out:
                self._note_silence(asked, started)
            found, asked = self._ask_others(views, collection, query, deadline)
        if found is not None or trust_absence:
            return found
        if asked is views.primary or is_of_primary(asked):
            return None
        if asked is views.preferred and self._was_primary(collection, topology):
            return None
        return self._ask_primary(views, query, deadline)

    def on_primary(self, collection: Collection[Document]) -> Collection[Document]:
        """Return ``collection`` with reads from the primary only."""
        return self._views_of(collection).primary

    def require_member_for(self, collection: Collection[Document]) -> None:
        """Raise ``NetworkTimeout`` if the members that could answer are known not to."""
        if is_of_primary(collection):
            self._availability.require_primary()
        else:
            self._availability.require_any_member()

    def lacks_primary(self, collection: Collection[Document]) -> bool:
        """Whether all known members are secondaries, as during an election."""
        topology = self._deployment.look(collection)
        return topology.has_secondary and not topology.has_primary

    def has_secondary(self, collection: Collection[Document]) -> bool:
        """Whether a secondary is known that could answer."""
        return self._deployment.look(collection).has_secondary

    def may_have_secondary(self, collection: Collection[Document]) -> bool:
        """Whether a secondary is known, or may still be discovered."""
        topology = self._deployment.look(collection)
        return topology.has_secondary or (topology.is_replica_set and not topology.has_primary)

    def _first(
        self, views: Views, topology: Members, deadline: float
    ) -> tuple[Collection[Document], float]:
        """Choose which member to ask first, and for how many seconds."""
        left = remaining(deadline)
        if not topology.is_replica_set:
            return views.chosen, left
        if not topology.has_secondary:
            # There are no others, or they have not been discovered yet.
            return views.chosen, left if topology.has_primary else min(self._patience, left)
        if self._availability.primary_is_silent and views.may_ask_primary:
            return self._secondary(views), min(self._patience, left)
        if not views.follows_primary:
            return views.chosen, min(self._patience, left)
        known = topology.has_primary or self._deployment.has_had_primary
        return views.preferred if known else views.chosen, min(self._patience, left)

    def _ask_others(
        self,
        views: Views,
        collection: Collection[Document],
        query: Query[_Result],
        deadline: float,
    ) -> tuple[_Result | None, Collection[Document]]:
        """Ask other members instead. Returns the answer and the collection that was asked.

        pymongo may select a hanging member until a new connection to it has failed, so there are
        several attempts, each longer than the previous one.
        """
        seconds = self._patience
        wants_secondary = views.may_ask_primary
        while True:
            has_secondary = self._deployment.look(collection).has_secondary
            if views.follows_primary:
                asked = self._secondary(views) if has_secondary else views.chosen
            else:
                asked = self._secondary(views) if wants_secondary else views.preferred
                wants_secondary = not wants_secondary
            started = time.monotonic()
            left = remaining(deadline)
            given = min(seconds, left) if has_secondary else left
            try:
                with pymongo.timeout(given):
                    return query(asked), asked
            except PyMongoError as error:
                if not is_unreachable(error):
                    raise
                if time.monotonic() >= deadline:
                    self._availability.found_silent(started, away=True, nobody=True)
                    raise
                if was_silent(error, started, given):
                    self._note_silence(asked, started)
            seconds *= 2

    def _ask_primary(self, views: Views, query: Query[_Result], deadline: float) -> _Result | None:
        """Ask only the primary, once there is one that answers."""
        while True:
            if not self._availability.wait_for_primary(deadline - time.monotonic()):
                raise NetworkTimeout(
                    "a secondary has no such document, and no primary answered to confirm that"
                )
            started = time.monotonic()
            given = min(self._patience, remaining(deadline))
            try:
                with pymongo.timeout(given):
                    return query(views.primary)
            except PyMongoError as error:
                if not is_unreachable(error) or time.monotonic() >= deadline:
                    raise
                if was_silent(error, started, given):
                    self._availability.found_silent(started)

    def _secondary(self, views: Views) -> Collection[Document]:
        """Return the collection with reads from one secondary, avoiding silent ones if it can."""
        now = time.monotonic()
        self._silent = {one: until for one, until in self._silent.items() if now < until}
        preference: Any = OneSecondary(views.chosen.read_preference, self._silent)
        return views.chosen.with_options(read_preference=preference)

    def _note_silence(self, asked: Collection[Document], since: float) -> None:
        """Note which member did not answer, if known."""
        preference: Any = asked.read_preference
        if isinstance(preference, OneSecondary):
            if preference.selected is not None:
                until = time.monotonic() + _AVOIDED_SECONDS
                self._silent = {**self._silent, preference.selected: until}
        elif may_ask_primary(asked):
            self._availability.found_silent(since)

    def _was_primary(self, collection: Collection[Document], before: Members) -> bool:
        """Whether the primary answered: nothing has changed since it was asked."""
        return (
            before.has_primary
            and self._deployment.look(collection).description is before.description
        )

    def _views_of(self, collection: Collection[Document]) -> Views:
        views = self._views
        if views is None or views.chosen is not collection:
            views = self._views = Views.of(collection)
        return views
