"""Saves a token as one document: an upsert under unique indexes, retried when it loses a race."""

from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import ACCESS_TOKEN_FIELDS, CREDENTIAL_FIELDS, Document, now
from zoho_mongo_store.model.login import (
    KNOWN_CREDENTIALS,
    MAX_KNOWN_CREDENTIALS,
    credential_digests,
)
from zoho_mongo_store.model.lookup import Filter, other_clients_filter, save_filters
from zoho_mongo_store.model.token_documents import TokenDocuments
from zoho_mongo_store.storage.new_keys import NewKeys

# An attempt fails only because another save succeeded; 32 racing saves need two or three.
_ATTEMPTS = 32
# The fields that Zoho's answer changes (oauth_token.py, parse_response).
REDEEMED_FIELDS = (*ACCESS_TOKEN_FIELDS, "refresh_token", "api_domain")


def upsert(
    collection: TokenDocuments, fields: Document, *, keep_access_token: bool = False
) -> Document:
    """Update the document of a token, or insert one.

    Fields that are absent from ``fields`` keep their stored values, and so does the id. The
    document remembers digests of the grant and refresh tokens that were saved in it.

    Args:
        collection: The token collection, with its unique indexes.
        fields: The token's fields, as ``to_document`` returns them.
        keep_access_token: Whether a stored document keeps what Zoho issued: the access token with
            its expiry, the refresh token and the API domain. An insert takes them from ``fields``.

    Returns:
        The document after the update.

    Raises:
        StoreError: No document matches and ``fields`` contain no credential, or a unique index that
            does not belong to the store rejects the document.
    """
    filters = save_filters(fields)
    if (
        filters
        and not keep_access_token
        and _expiry_unknown(fields)
        and "access_token" not in filters[0]
    ):
        # An access token that is saved again without its expiry keeps the stored expiry, but only
        # if the first filter finds it: each further filter would cost another command.
        filters.insert(0, {**filters[0], "access_token": fields["access_token"]})
    insertable = not fields.keys().isdisjoint(CREDENTIAL_FIELDS)
    new_keys = NewKeys(fields)
    for _ in range(_ATTEMPTS):
        # If there is nothing to look up by, the key is a random id.
        candidates = filters or [new_keys.current()]
        for candidate in candidates:
            keys = None
            if insertable and candidate is candidates[-1]:
                keys = new_keys.current() if filters else candidate
            try:
                stored = _update(collection, candidate, fields, keys, keep_access_token)
            except DuplicateKeyError as error:
                violated = _violated_key(error)
                new_keys.reject(violated)
                if violated in ("user_name", None):
                    _release_name(collection, fields, candidate)
                break
            if stored is not None:
                return _with_newest_known(collection, stored)
        else:
            if not insertable:
                raise StoreError(
                    "no stored token matches, and a new one needs an access, refresh or grant token"
                )
    raise StoreError("other saves of the same token or user name kept interfering: try again")


def compare_and_set_access_token(
    collection: TokenDocuments, stored: Document, fields: Document
) -> Document | None:
    """Write what a refresh or a grant exchange changed, unless the access token has changed.

    So a late answer from Zoho never replaces a newer one.

    Args:
        collection: The token collection.
        stored: The document as it was before Zoho was asked.
        fields: The token's fields after Zoho's answer.

    Returns:
        The document after the update, or ``None`` if it has another access token by now or was
        deleted.
    """
    changes = _redeemed(fields)
    current = stored.get("access_token", {"$exists": False})
    changed = collection.find_one_and_update(
        {"id": stored["id"], "access_token": current},
        {"$set": {**changes, "updated_at": now()}, **_known(fields)},
        return_document=ReturnDocument.AFTER,
    )
    return None if changed is None else _with_newest_known(collection, changed)


def remember_credentials(collection: TokenDocuments, id: str, fields: Document) -> Document | None:
    """Remember the grant and refresh tokens of a login that Zoho refused.

    They do not start another login. Nothing else in the document changes.

    Args:
        collection: The token collection.
        id: The id of the document that matched the token by its user name.
        fields: The token's fields, as ``to_document`` returns them.

    Returns:
        The document after the update, or ``None`` if it was deleted.
    """
    changed = collection.find_one_and_update(
        {"id": id}, _known(fields), return_document=ReturnDocument.AFTER
    )
    return None if changed is None else _with_newest_known(collection, changed)


def _update(
    collection: TokenDocuments,
    candidate: Filter,
    fields: Document,
    keys: Document | None,
    keep_access_token: bool,
) -> Document | None:
    """Update the document that matches ``candidate``, or insert one with ``keys``.

    Returns:
        The document after the update. ``None`` if none matches and ``keys`` is ``None``, or
        possibly if an upsert lost a race.
    """
    moment = now()
    kept = _redeemed(fields) if keep_access_token else {}
    changes = dict(fields)
    for field in ("id", *kept):
        changes.pop(field, None)
    update: dict[str, Any] = {"$set": {**changes, "updated_at": moment}, **_known(fields)}
    if keys is not None:
        update["$setOnInsert"] = {**keys, "created_at": moment, **kept}
    if not keep_access_token and _expiry_unknown(fields) and "access_token" not in candidate:
        update["$unset"] = {"expiry_time": ""}
    return collection.find_one_and_update(
        candidate, update, upsert=keys is not None, return_document=ReturnDocument.AFTER
    )


def _redeemed(fields: Document) -> Document:
    """Return what Zoho's answer changes among ``fields``."""
    return {field: fields[field] for field in REDEEMED_FIELDS if field in fields}


def _known(fields: Document) -> Document:
    """Return the part of an update that adds the credentials among ``fields`` to the known ones."""
    digests = credential_digests(fields)
    return {"$addToSet": {KNOWN_CREDENTIALS: {"$each": digests}}} if digests else {}


def _with_newest_known(collection: TokenDocuments, stored: Document) -> Document:
    """Forget the oldest credentials of a document that knows too many.

    ``$addToSet`` has no ``$slice``, so this takes a second command, but only for a login and only
    once the list is full.
    """
    if len(stored.get(KNOWN_CREDENTIALS, ())) > MAX_KNOWN_CREDENTIALS:
        newest = {"$each": [], "$slice": -MAX_KNOWN_CREDENTIALS}
        collection.update_one({"id": stored["id"]}, {"$push": {KNOWN_CREDENTIALS: newest}})
        stored[KNOWN_CREDENTIALS] = stored[KNOWN_CREDENTIALS][-MAX_KNOWN_CREDENTIALS:]
    return stored


def _violated_key(error: DuplicateKeyError) -> str | None:
    """Return the field of the unique index that rejected a document.

    Returns:
        ``_id``, ``id`` or ``user_name``; ``None`` if it is unknown, as on mongomock. MongoDB has
        reported it since version 4.4.

    Raises:
        StoreError: The index does not belong to the store, so retrying is useless.
    """
    fields = list((error.details or {}).get("keyPattern", {}))
    if not fields:
        return None
    if fields not in (["_id"], ["id"], ["user_name"]):
        raise StoreError(
            f"a unique index on {', '.join(fields)}, which does not belong to the store, rejects "
            "the token: another token has the same value there; drop that index"
        ) from None
    return str(fields[0])


def _expiry_unknown(fields: Document) -> bool:
    """Whether there is an access token without an expiry. It must not get another token's."""
    return "access_token" in fields and "expiry_time" not in fields


def _release_name(collection: TokenDocuments, fields: Document, candidate: Filter) -> None:
    """Remove the user name in ``fields`` from the document that has to give it up, if any.

    The newest save owns the name: a document with a known id takes it from any other, and a new
    document takes it from one of another OAuth client. The other document can still be found by its
    id or credentials. The name is not taken from a document that has merely won a race: that is the
    same token, and the next attempt finds it.
    """
    holder = other_clients_filter(fields)
    if "id" in candidate and "user_name" in fields:
        holder = {"user_name": fields["user_name"], "id": {"$ne": candidate["id"]}}
    if holder is not None:
        collection.update_one(holder, {"$unset": {"user_name": ""}, "$set": {"updated_at": now()}})
