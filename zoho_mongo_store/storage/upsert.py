"""One token, one document: the upsert, the unique indexes under it, and the retry."""

import uuid
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import ACCESS_TOKEN_FIELDS, CREDENTIAL_FIELDS, Document, now
from zoho_mongo_store.model.lookup import Filter, save_filters, shared_id
from zoho_mongo_store.model.token_documents import TokenDocuments

# Each turn is lost only to another save that got through; 32 racing ones need two or three.
_ATTEMPTS = 32
# What Zoho's answer changes in a token (oauth_token.py, parse_response).
_REDEEMED = (*ACCESS_TOKEN_FIELDS, "refresh_token", "api_domain")


def upsert(
    collection: TokenDocuments, fields: Document, *, keep_access_token: bool = False
) -> Document:
    """Update the document that ``fields`` belong to, or insert one, and return it as it then is.

    Absent fields never erase stored ones, and a stored id stays. With ``keep_access_token`` what
    Zoho gave stays too, the access token with its expiry, its refresh token and its API domain:
    only an insert takes those of ``fields``. Raises ``StoreError`` when there is no document and
    ``fields`` have no credential to make one of, and when a unique index of somebody else's refuses
    them.
    """
    filters = save_filters(fields)
    if (
        filters
        and not keep_access_token
        and _expiry_unknown(fields)
        and "access_token" not in filters[0]
    ):
        # The same access token again keeps the expiry that is stored with it, if it is found at
        # once: to look further would cost a command for each way to look it up.
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
    """Write what a refresh or a grant exchange changes, if ``stored`` still holds its access token.

    Returns the document as it then is, or ``None`` when another access token stands there, or the
    document is gone: a late answer never replaces a newer one.
    """
    changes = {field: fields[field] for field in _REDEEMED if field in fields}
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
    """Update the document that matches; without one, insert it under ``new_id`` if that is given.

    ``None``: there is none. It is also what an upsert that lost a race may say.
    """
    moment = now()
    kept = (
        {field: fields[field] for field in _REDEEMED if field in fields}
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
    """Raise ``StoreError`` if no save can get over it: an index that is not the store's refused.

    MongoDB names the fields of the index from 4.4 on.
    """
    fields = list((error.details or {}).get("keyPattern", {}))
    if fields and fields not in (["id"], ["user_name"]):
        raise StoreError(
            f"a unique index on {', '.join(fields)}, which is not one of the store's, refuses the "
            "token: another one has the same there; drop that index"
        ) from None


def _expiry_unknown(fields: Document) -> bool:
    """Whether an access token comes without its expiry: it must not inherit another's."""
    return "access_token" in fields and "expiry_time" not in fields


def _release_name(collection: TokenDocuments, user_name: str, owner: str) -> None:
    """Take ``user_name`` from the document that holds it, for the one with the id ``owner``: the
    newest save owns the name, and the other is still found by its id or credentials."""
    collection.update_one(
        {"user_name": user_name, "id": {"$ne": owner}},
        {"$unset": {"user_name": ""}, "$set": {"updated_at": now()}},
    )
