"""Writes beside a token that its login is over, and that it is not any more.

Each is one conditional update, so of many processes that find the same out exactly one changes the
document, and tells of it.
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
    """Write that the login of a token is over.

    Args:
        collection: The token collection.
        stored: The token whose credential was refused.
        required: What to write, as ``login_required_fields`` makes it.

    Returns:
        Whether this call wrote it: not if it is written already, or if the token has got another
        credential meanwhile.
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
    """Remove what says that the login of a token is over.

    Args:
        collection: The token collection.
        stored: The token as it is after it was saved or refreshed.

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
    """Write that the login of a token which was just saved goes on, and say what there is to tell.

    Args:
        collection: The token collection.
        stored: The token as it is after it was saved.
        is_login: Whether the user is known to have logged in. A token that was stored for the first
            time is a login anyway.
        is_redeemed: Whether Zoho just accepted the stored credential. If not, only another
            credential than the one that Zoho refused ends that a login is required.
    """
    if (is_redeemed or not is_login_required(stored)) and end_login_required(collection, stored):
        return "login_restored"
    return "login" if is_login or is_first_save(stored) else None


def expire_access_token(
    collection: TokenDocuments, id: str, access_token: str | None, moment: datetime
) -> Document | None:
    """Let the access token of a token have expired.

    Args:
        collection: The token collection.
        id: The token's id.
        access_token: Only if this is its access token. ``None``: whichever it is.
        moment: When it expired.

    Returns:
        The document as it is after that, or ``None`` if it is unknown or has another access token.
    """
    candidate: dict[str, Any] = {"id": id, "access_token": access_token or {"$exists": True}}
    update = {"$set": {"expiry_time": moment, "updated_at": now()}, "$unset": _REMOVED}
    return _change(collection, candidate, update)


def _change(
    collection: TokenDocuments, candidate: dict[str, Any], update: dict[str, Any]
) -> Document | None:
    return collection.find_one_and_update(candidate, update, return_document=ReturnDocument.AFTER)
