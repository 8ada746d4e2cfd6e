"""Records in a token's document that its login is over, and that it has been restored.

Each is one conditional update: if many processes find out at once, exactly one changes the document
and emits the event.
"""

from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from zoho_mongo_store.events import EventName
from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.model.login import is_first_save
from zoho_mongo_store.model.login_state import (
    LOGIN_REQUIRED_FIELDS,
    LOGIN_REQUIRED_FOR,
    is_login_required,
)
from zoho_mongo_store.model.token_documents import TokenDocuments

_REMOVED = dict.fromkeys(LOGIN_REQUIRED_FIELDS, "")


def begin_login_required(collection: TokenDocuments, stored: Document, required: Document) -> bool:
    """Record that the login of a token is over.

    Args:
        collection: The token collection.
        stored: The token whose credential was refused.
        required: The fields to write, from ``login_required_fields``.

    Returns:
        Whether this call wrote them. It did not if they were already there, or if the token has
        another credential by now.
    """
    credential = "refresh_token" if "refresh_token" in stored else "access_token"
    current = {field: {"$exists": False} for field in ("refresh_token", "access_token")}
    if credential in stored:
        current[credential] = stored[credential]
    if credential == "refresh_token":
        del current["access_token"]
    candidate = {
        "id": stored["id"],
        **current,
        LOGIN_REQUIRED_FOR: {"$ne": required[LOGIN_REQUIRED_FOR]},
    }
    return _change(collection, candidate, {"$set": {**required, "updated_at": now()}}) is not None


def end_login_required(collection: TokenDocuments, stored: Document) -> bool:
    """Remove the record that the login of a token is over.

    Args:
        collection: The token collection.
        stored: The token after it was saved or refreshed.

    Returns:
        Whether this call removed it.
    """
    if LOGIN_REQUIRED_FOR not in stored:
        return False
    candidate = {"id": stored["id"], LOGIN_REQUIRED_FOR: stored[LOGIN_REQUIRED_FOR]}
    return _change(collection, candidate, {"$unset": _REMOVED}) is not None


def note_login(
    collection: TokenDocuments, stored: Document, *, is_login: bool, is_redeemed: bool
) -> EventName | None:
    """Record that a token that was just saved needs no login, and return the event to emit.

    Args:
        collection: The token collection.
        stored: The token after it was saved.
        is_login: Whether the user is known to have logged in. A token that was stored for the first
            time always counts as a login.
        is_redeemed: Whether Zoho has just accepted the stored credential. If not, the login counts
            as restored only if the credential differs from the one that Zoho refused.
    """
    if (is_redeemed or not is_login_required(stored)) and end_login_required(collection, stored):
        return "login_restored"
    return "login" if is_login or is_first_save(stored) else None


def expire_access_token(
    collection: TokenDocuments, id: str, access_token: str | None, moment: datetime
) -> Document | None:
    """Mark the access token of a token as expired.

    Args:
        collection: The token collection.
        id: The token's id.
        access_token: Only if this is its access token. ``None``: whichever it is.
        moment: The time of expiry to store.

    Returns:
        The document after the update, or ``None`` if the id is unknown or the token has another
        access token.
    """
    candidate: dict[str, Any] = {"id": id, "access_token": access_token or {"$exists": True}}
    update = {"$set": {"expiry_time": moment, "updated_at": now()}, "$unset": _REMOVED}
    return _change(collection, candidate, update)


def _change(
    collection: TokenDocuments, candidate: dict[str, Any], update: dict[str, Any]
) -> Document | None:
    return collection.find_one_and_update(candidate, update, return_document=ReturnDocument.AFTER)
