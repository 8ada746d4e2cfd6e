"""Saves a token as one document: an upsert under unique indexes, retried when it loses a race."""

import uuid
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import ACCESS_TOKEN_FIELDS, CREDENTIAL_FIELDS, Document, now
from zoho_mongo_store.model.lookup import Filter, save_filters, shared_id
from zoho_mongo_store.model.token_documents import TokenDocuments

# An attempt fails only because another save succeeded; 32 racing saves need two or three.
_ATTEMPTS = 32
# The fields that Zoho's answer changes (oauth_token.py, parse_response).
REDEEMED_FIELDS = (*ACCESS_TOKEN_FIELDS, "refresh_token", "api_domain")


def upsert(
    collection: TokenDocuments, fields: Document, *, keep_access_token: bool = False
) -> Document:
    """Update the document of a token, or insert one.

    A field that is absent from ``fields`` stays as it is stored, and so does the id.

    Args:
        collection: The token collection, with its unique indexes.
        fields: The token's fields, as ``to_document`` returns them.
        keep_access_token: Whether a stored document keeps what Zoho issued: the access token with
            its expiry, the refresh token and the API domain. An insert takes them from ``fields``.

    Returns:
        The document as it is after the update.

    Raises:
        StoreError: If no document matches and ``fields`` contain no credential, or if a unique
            index that does not belong to the store rejects the document.
    """
    filters = save_filters(fields)
    if (
        filters
        and not keep_access_token
        and _expiry_unknown(fields)
        and "access_token" not in filters[0]
    ):
        # An access token that is saved again without its expiry keeps the stored expiry, but only
        # where the first filter finds it: each further filter would cost another command.
        filters.insert(0, {**filters[0], "access_token": fields["access_token"]})
    insertable = not fields.keys().isdisjoint(CREDENTIAL_FIELDS)
    for attempt in range(_ATTEMPTS):
        new_id = fields.get("id") or shared_id(filters, attempt) or uuid.uuid4().hex
        for candidate in filters or [{"id": new_id}]:
            inserting = insertable and (not filters or candidate is filters[-1])
            try:
                stored = _update(
                    collection, candidate, fields, new_id if inserting else None, keep_access_token
                )
            except DuplicateKeyError as error:
                _check_is_own(error)
                if "id" in candidate and "user_name" in fields:
                    _release_name(collection, fields["user_name"], candidate["id"])
                break
            if stored is not None:
                return stored
        else:
            if not insertable:
                raise StoreError(
                    "no stored token matches, and a new one needs an access, a refresh or a grant "
                    "token"
                )
    raise StoreError(
        "other saves of the same token or user name kept getting in between: try again"
    )


def compare_and_set_access_token(
    collection: TokenDocuments, stored: Document, fields: Document
) -> Document | None:
    """Write what a refresh or a grant exchange changed, unless the access token changed meanwhile.

    A late answer from Zoho therefore never replaces a newer one.

    Args:
        collection: The token collection.
        stored: The document as it was before Zoho was asked.
        fields: The token's fields after Zoho's answer.

    Returns:
        The document as it is after the update, or ``None`` if it has another access token by now or
        was deleted.
    """
    changes = {field: fields[field] for field in REDEEMED_FIELDS if field in fields}
    current = stored.get("access_token", {"$exists": False})
    return collection.find_one_and_update(
        {"id": stored["id"], "access_token": current},
        {"$set": {**changes, "updated_at": now()}},
        return_document=ReturnDocument.AFTER,
    )


def _update(
    collection: TokenDocuments,
    candidate: Filter,
    fields: Document,
    new_id: str | None,
    keep_access_token: bool,
) -> Document | None:
    """Update the document that matches ``candidate``, or insert one under ``new_id``.

    Returns:
        The document as it is after the update. ``None`` if none matches and ``new_id`` is ``None``,
        or possibly if an upsert lost a race.
    """
    moment = now()
    kept = (
        {field: fields[field] for field in REDEEMED_FIELDS if field in fields}
        if keep_access_token
        else {}
    )
    changes = {field: fields[field] for field in fields if field != "id" and field not in kept}
    update: dict[str, Any] = {"$set": {**changes, "updated_at": moment}}
    if new_id is not None:
        update["$setOnInsert"] = {"id": new_id, "created_at": moment, **kept}
    if not keep_access_token and _expiry_unknown(fields) and "access_token" not in candidate:
        update["$unset"] = {"expiry_time": ""}
    return collection.find_one_and_update(
        candidate, update, upsert=new_id is not None, return_document=ReturnDocument.AFTER
    )


def _check_is_own(error: DuplicateKeyError) -> None:
    """Check that the violated index belongs to the store: otherwise retrying is useless.

    Raises:
        StoreError: If it does not. MongoDB reports the fields of the index since version 4.4.
    """
    fields = list((error.details or {}).get("keyPattern", {}))
    if fields and fields not in (["id"], ["user_name"]):
        raise StoreError(
            f"a unique index on {', '.join(fields)}, which is not one of the store's, rejects the "
            "token: another token has the same value there; drop that index"
        ) from None


def _expiry_unknown(fields: Document) -> bool:
    """Whether there is an access token without an expiry, which must not get another token's."""
    return "access_token" in fields and "expiry_time" not in fields


def _release_name(collection: TokenDocuments, user_name: str, owner: str) -> None:
    """Remove ``user_name`` from any document other than the one with the id ``owner``.

    The newest save owns the name. The other document is still found by its id or credentials.
    """
    collection.update_one(
        {"user_name": user_name, "id": {"$ne": owner}},
        {"$unset": {"user_name": ""}, "$set": {"updated_at": now()}},
    )
