"""What ``doctor`` checks of the stored tokens."""

from collections.abc import Iterator
from typing import Any

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.commands.context import SCAN_TIMEOUT
from zoho_mongo_store.commands.doctor.findings import Finding
from zoho_mongo_store.commands.inventory import Inventory
from zoho_mongo_store.commands.token_summary import TokenState, TokenSummary
from zoho_mongo_store.commands.token_table import count_tokens
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.model.document import SECRET_FIELDS, Document
from zoho_mongo_store.storage.repository import TokenRepository
from zoho_mongo_store.storage.token_indexes import TOKEN_INDEXES

_SHOWN = 5
_DAMAGED = "delete it, and have its user log in again"


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
            yield Finding("encryption", "failed", f"{count_tokens(encrypted)} encrypted", advice)
        else:
            yield Finding("encryption", "passed", "off, and no secret is encrypted")
    elif plain:
        detail = f"{count_tokens(plain)} with secrets in plain"
        yield Finding("encryption", "failed", detail, "run zoho-mongo-store encrypt")
    else:
        yield Finding("encryption", "passed", "all secrets are encrypted")


def readable(tokens: TokenRepository) -> Iterator[Finding]:
    """Check that every document is a token, and that no token is cooling down."""
    inventory = Inventory(tokens)
    number, damaged, cooling = 0, 0, 0
    for token in inventory.all():
        number += 1
        if token.state is TokenState.DAMAGED:
            damaged += 1
            if damaged <= _SHOWN:
                yield Finding("document", "failed", token.damage, _DAMAGED)
        elif token.state is TokenState.COOLING_DOWN:
            cooling += 1
            if cooling <= _SHOWN:
                yield Finding("cool-down", "warned", *_describe_cool_down(token, inventory))
    for check, count in (("document", damaged), ("cool-down", cooling)):
        if count > _SHOWN:
            yield Finding(check, "warned", f"and {count_tokens(count - _SHOWN)} more", "see list")
    if not damaged:
        yield Finding("documents", "passed", f"{count_tokens(number)}, all in order")
    if not cooling:
        yield Finding("cool-down", "passed", "none")


def _describe_cool_down(token: TokenSummary, inventory: Inventory) -> tuple[str, str]:
    failure = token.lease.failure if token.lease is not None else None
    reason = "" if failure is None else f" ({failure.code}: {failure.message})"
    detail = f"{token.user or token.id} is {token.describe_state(inventory.clock())}{reason}"
    if failure is not None and failure.refused:
        return detail, "Zoho refuses: if it goes on, have the user log in again"
    return detail, "wait; see whether Zoho can be reached from the application's hosts"


def _any_secret(kind: str) -> dict[str, Any]:
    return {"$or": [{field: {"$type": kind}} for field in SECRET_FIELDS]}
