"""What an import does with one row, given what is stored. Nothing here reaches MongoDB."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document
from zoho_mongo_store.model.lookup import shared_id
from zoho_mongo_store.transfer.latest_rows import identity


class Action(Enum):
    """What becomes of a row that counts."""

    INSERT = "inserted"
    UPDATE = "updated"
    LEAVE = "unchanged"
    """The same expiry is stored already."""
    KEEP = "kept"
    """What is stored expires later."""


class Plan(NamedTuple):
    """What becomes of one row, and under which id."""

    action: Action
    id: str


class KnownTokens:
    """What is stored of those that a batch of rows may be, and what the batch adds to it."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_id: dict[str, Document] = {}
        self._by_name: dict[str, Document] = {}
        for document in documents:
            self._add(document)

    def plan(self, document: Document, is_login: Callable[[str], bool]) -> Plan:
        """Decide about a row, and take it to be stored.

        A user who is stored keeps the stored id. Else the row keeps its own, unless that is another
        login's: then it gets the id that the store would derive.

        is_login: whether the document stored under an id is the very login of this row.
        """
        id, stored = self._place(document, is_login)
        action = Action.INSERT if stored is None else _newer(document, stored)
        if action in (Action.INSERT, Action.UPDATE):
            self._add({**(stored or {}), **document, "id": id})
        return Plan(action, id)

    def _place(
        self, document: Document, is_login: Callable[[str], bool]
    ) -> tuple[str, Document | None]:
        name = document.get("user_name")
        if name in self._by_name:
            stored = self._by_name[name]
            return stored["id"], stored
        for id in possible_ids(document):
            if id not in self._by_id:
                return id, None
            stored = self._by_id[id]
            is_other_user = name is not None and "user_name" in stored
            if not is_other_user and is_login(id):
                return id, stored
        return uuid.uuid4().hex, None

    def _add(self, document: Document) -> None:
        self._by_id[document["id"]] = document
        if "user_name" in document:
            self._by_name[document["user_name"]] = document


def possible_ids(document: Document) -> Iterator[str]:
    """The ids that a row may be stored under: its own, then the one that the store derives."""
    if "id" in document:
        yield document["id"]
    derived = shared_id([identity(document)], 0)
    if derived is not None:
        yield derived


def is_same_login(document: Document, stored: Document | None) -> bool:
    """Whether both hold the same credential, by the first that both have."""
    for field in CREDENTIAL_FIELDS:
        if stored and field in document and field in stored:
            return bool(document[field] == stored[field])
    return False


def _newer(document: Document, stored: Document) -> Action:
    """What expires later stays; an unknown expiry loses to any other."""
    expiry: datetime | None = document.get("expiry_time")
    stored_expiry: datetime | None = stored.get("expiry_time")
    if expiry == stored_expiry:
        return Action.LEAVE
    if expiry is None or (stored_expiry is not None and expiry < stored_expiry):
        return Action.KEEP
    return Action.UPDATE
