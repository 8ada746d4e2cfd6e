"""Decides what an import does with a row. Pure functions."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from bson import ObjectId

from zoho_mongo_store.model.document import ACCESS_TOKEN_FIELDS, CREDENTIAL_FIELDS, Document
from zoho_mongo_store.model.lookup import save_filters, shared_id
from zoho_mongo_store.transfer.matching import StoredTokens
from zoho_mongo_store.transfer.writing import Update


class Action(Enum):
    """What an import does with a row. The values are the names of the report's counts."""

    INSERT = "inserted"
    UPDATE = "updated"
    FILL = "filled"
    LEAVE = "unchanged"
    KEEP = "kept"


class Plan(NamedTuple):
    """What an import does with one row.

    Attributes:
        action: The action.
        id: The id of the document.
        stored: The stored document, if there is one.
        fields: The fields to write.
        nameless: Whether the row's user name is left out because another document has it.
    """

    action: Action
    id: str
    stored: Document | None
    fields: Document
    nameless: bool


def plan(document: Document, tokens: StoredTokens, moment: datetime) -> Plan:
    """Decide what to do with a row, and change ``tokens`` as if it had been done.

    A stored token is replaced only by one that expires later; an unknown expiry counts as earlier
    than any other. Otherwise the stored document's missing fields are filled in. It keeps its id. A
    new document gets the id of the row, or a derived one if another login has that id.

    Args:
        document: The row.
        tokens: The stored documents to which the row may belong.
        moment: The time of the write.
    """
    stored = tokens.find(document)
    id = _new_id(document, tokens) if stored is None else stored["id"]
    nameless = tokens.is_name_taken(document, id)
    fields = {name: value for name, value in document.items() if name != "id"}
    if nameless:
        del fields["user_name"]
    action = Action.INSERT
    if stored is not None:
        action, fields = _changes(fields, stored)
    if fields:
        tokens.add({**(stored or {}), **fields, "id": id, "updated_at": moment})
    return Plan(action, id, stored, fields, nameless)


def update_of(document: Document, plan: Plan, moment: datetime) -> Update | None:
    """Return the update that carries out a plan, or ``None`` if there is nothing to write.

    The update violates a unique index if, after the plan was made, the document was changed or
    another one with the same id or user name was inserted.
    """
    if not plan.fields:
        return None
    update: dict[str, Any] = {"$set": {**plan.fields, "updated_at": moment}}
    if plan.stored is None:
        # No document has this _id, so if the id is taken by now, the insert fails.
        update["$setOnInsert"] = {"created_at": moment}
        return Update({"_id": ObjectId(), "id": plan.id}, update, upsert=True)
    unchanged = {
        name: plan.stored.get(name, {"$exists": False}) for name in ("updated_at", "expiry_time")
    }
    # These are inserted if the document was deleted meanwhile. If it was changed, it still has the
    # id, so the unique index refuses the insert.
    rest = {name: value for name, value in document.items() if name not in (*plan.fields, "id")}
    if plan.nameless:
        rest.pop("user_name", None)
    update["$setOnInsert"] = {**rest, "created_at": moment}
    return Update({"id": plan.id, **unchanged}, update, upsert=True)


def possible_ids(document: Document) -> Iterator[str]:
    """Yield the ids that a new document for a row may get: its own, then the derived one."""
    if "id" in document:
        yield document["id"]
    without_id = {name: value for name, value in document.items() if name != "id"}
    derived = shared_id(save_filters(without_id), 0)
    if derived is not None:
        yield derived


def _new_id(document: Document, tokens: StoredTokens) -> str:
    for id in possible_ids(document):
        if not tokens.has_id(id):
            return id
    return uuid.uuid4().hex


def _changes(fields: Document, stored: Document) -> tuple[Action, Document]:
    """Return the action for a stored document, and the fields to write."""
    expiry, stored_expiry = _expiry(fields), _expiry(stored)
    if expiry is not None and (stored_expiry is None or expiry > stored_expiry):
        return Action.UPDATE, fields
    absent = {
        name: value
        for name, value in fields.items()
        if name not in stored and name not in ACCESS_TOKEN_FIELDS
    }
    if "access_token" not in stored:
        # The access token and its expiry are filled together, or not at all.
        absent |= {name: fields[name] for name in ACCESS_TOKEN_FIELDS if name in fields}
    if absent:
        return Action.FILL, absent
    is_same = all(fields[name] == stored[name] for name in CREDENTIAL_FIELDS if name in fields)
    return (Action.LEAVE if is_same and expiry == stored_expiry else Action.KEEP), {}


def _expiry(document: Document) -> datetime | None:
    value = document.get("expiry_time")
    return value if isinstance(value, datetime) else None
