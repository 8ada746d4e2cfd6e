"""Checks of ``doctor`` on the stored tokens."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.commands.context import SCAN_TIMEOUT
from zoho_mongo_store.commands.doctor.findings import Finding
from zoho_mongo_store.commands.output import format_count
from zoho_mongo_store.commands.token_state import find_damage
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.encryption.cipher import UnreadableError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, SECRET_FIELDS, Document
from zoho_mongo_store.storage.repository import TokenRepository
from zoho_mongo_store.storage.token_indexes import TOKEN_INDEXES

_PAGE = 1000
_SHOWN = 5
_DAMAGED = "delete it and have its user log in again"


def duplicates(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that no two documents have the same id or user name. The unique indexes prevent it."""
    for field in (index.field for index in TOKEN_INDEXES if index.unique):
        stages: list[dict[str, Any]] = [
            {"$match": {field: {"$exists": True}}},
            {"$group": {"_id": f"${field}", "documents": {"$sum": 1}}},
            {"$match": {"documents": {"$gt": 1}}},
            {"$limit": _SHOWN},
        ]
        with pymongo.timeout(SCAN_TIMEOUT):
            found = [str(one["_id"]) for one in collection.aggregate(stages, allowDiskUse=True)]
        if found:
            yield Finding(
                f"duplicate {field}",
                "failed",
                f"several documents for {', '.join(found)}",
                "delete all but the newest, then run zoho-mongo-store init",
            )
        else:
            yield Finding(f"duplicate {field}", "passed", "none")


def secrets(
    collection: Collection[Document], encryption: FieldEncryption | None
) -> Iterator[Finding]:
    """Check that secrets are stored as the encryption options say."""
    with pymongo.timeout(SCAN_TIMEOUT):
        plain = collection.count_documents(_any_secret("string"))
        encrypted = collection.count_documents(_any_secret("binData"))
    if encryption is None:
        if encrypted:
            advice = "give --kms-providers"
            yield Finding(
                "encryption", "failed", f"{format_count(encrypted, 'token')} encrypted", advice
            )
        else:
            yield Finding("encryption", "passed", "off, and no secret is encrypted")
    elif plain:
        detail = f"{format_count(plain, 'token')} with secrets in plain text"
        yield Finding("encryption", "failed", detail, "run zoho-mongo-store encrypt")
    else:
        yield Finding("encryption", "passed", "all secrets are encrypted")


def shared_credentials(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that no two documents hold one credential. That is allowed, but rarely intended."""
    for field in CREDENTIAL_FIELDS:
        stages: list[dict[str, Any]] = [
            {"$match": {field: {"$exists": True}}},
            {"$group": {"_id": f"${field}", "ids": {"$push": "$id"}, "documents": {"$sum": 1}}},
            {"$match": {"documents": {"$gt": 1}}},
            {"$project": {"_id": False, "ids": {"$slice": ["$ids", _SHOWN]}, "documents": True}},
            {"$limit": _SHOWN},
        ]
        with pymongo.timeout(SCAN_TIMEOUT):
            found = list(collection.aggregate(stages, allowDiskUse=True))
        for one in found:
            ids = ", ".join(str(id) for id in one["ids"])
            yield Finding(
                "credentials",
                "warned",
                f"{one['documents']} documents hold one {field.replace('_', ' ')}: ids {ids}",
                "delete all but the one in use, unless one login should have several names",
            )
        if found:
            # A login that was saved twice has each of its credentials twice.
            return
    yield Finding("credentials", "passed", "each is in one document")


def clients(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that all tokens belong to one OAuth client, and find users with tokens of two."""
    nameless = {"$cond": [{"$gt": ["$user_name", None]}, "$$REMOVE", "$id"]}
    stages: list[dict[str, Any]] = [
        {"$match": {"client_id": {"$exists": True}}},
        {"$group": {"_id": "$client_id", "tokens": {"$sum": 1}, "ids": {"$push": nameless}}},
        {"$sort": {"_id": 1}},
    ]
    with pymongo.timeout(SCAN_TIMEOUT):
        found = list(collection.aggregate(stages, allowDiskUse=True))
    if len(found) <= 1:
        yield Finding("OAuth clients", "passed", f"{found[0]['_id']}" if found else "none yet")
        return
    counts = ", ".join(
        f"{one['_id']} ({format_count(one['tokens'], 'token')})" for one in found[:_SHOWN]
    )
    yield Finding(
        "OAuth clients",
        "warned",
        f"{len(found)} OAuth clients share the collection: {counts}",
        "give each client a collection of its own: a user of two has one name here",
    )
    lost = [str(id) for one in found for id in one["ids"]]
    if lost:
        yield Finding(
            "OAuth clients",
            "warned",
            f"{format_count(len(lost), 'token')} without a user name, which another client's token "
            f"of the same user may have taken: ids {', '.join(lost[:_SHOWN])}",
            "look at each with zoho-mongo-store show; move it to its client's collection",
        )


def readable(tokens: TokenRepository) -> Iterator[Finding]:
    """Check that every document is a token, with secrets that can be decrypted."""
    number, damaged = 0, 0
    for damage in _find_damages(tokens):
        number += 1
        if damage:
            damaged += 1
            if damaged <= _SHOWN:
                yield Finding("documents", "failed", damage, _DAMAGED)
    if damaged > _SHOWN:
        more = f"and {format_count(damaged - _SHOWN, 'token')} more"
        yield Finding("documents", "failed", more, "see zoho-mongo-store list")
    if not damaged:
        yield Finding("documents", "passed", f"{format_count(number, 'token')}, all in order")


def _find_damages(tokens: TokenRepository) -> Iterator[str]:
    """Read every document. Yields what is wrong with it, or an empty string."""
    with contextlib.closing(tokens.scan(_PAGE)) as scan:
        while True:
            try:
                document = scan.next()
            except UnreadableError as error:
                yield str(error)
                continue
            if document is None:
                return
            yield find_damage(document)


def _any_secret(kind: str) -> dict[str, Any]:
    return {"$or": [{field: {"$type": kind}} for field in SECRET_FIELDS]}
