"""What ``doctor`` finds out about the stored tokens."""

from collections.abc import Iterator
from typing import Any

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.commands.context import SCAN_TIMEOUT, CommandContext
from zoho_mongo_store.commands.doctor.findings import Finding
from zoho_mongo_store.commands.inventory import Inventory, State
from zoho_mongo_store.commands.items import counted
from zoho_mongo_store.model.document import SECRET_FIELDS, Document
from zoho_mongo_store.storage.token_indexes import TOKEN_INDEXES

_SHOWN = 5
_DAMAGED = "delete it, and have its user log in again"


def duplicates(collection: Collection[Document]) -> Iterator[Finding]:
    """Whether an id or a user name stands in several documents, which the indexes would prevent."""
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


def secrets(collection: Collection[Document], context: CommandContext) -> Iterator[Finding]:
    """Whether secrets are stored as the encryption options say."""
    with pymongo.timeout(SCAN_TIMEOUT):
        plain = collection.count_documents(_any_secret("string"))
        encrypted = collection.count_documents(_any_secret("binData"))
    if context.encryption is None:
        if encrypted:
            advice = "give --kms-providers"
            yield Finding("encryption", "failed", f"{counted(encrypted)} encrypted", advice)
        else:
            yield Finding("encryption", "passed", "off, and no secret is encrypted")
    elif plain:
        detail = f"{counted(plain)} with secrets in plain"
        yield Finding("encryption", "failed", detail, "run zoho-mongo-store encrypt")
    else:
        yield Finding("encryption", "passed", "all secrets are encrypted")


def readable(context: CommandContext) -> Iterator[Finding]:
    """Whether every document is a token, and which of them nobody may refresh."""
    with context.open() as tokens:
        inventory = Inventory(tokens)
        number, damaged, cooling = 0, 0, 0
        for item in inventory.all():
            number += 1
            if item.state is State.DAMAGED:
                damaged += 1
                if damaged <= _SHOWN:
                    yield Finding("document", "failed", item.damage, _DAMAGED)
            elif item.state is State.COOLING_DOWN:
                cooling += 1
                if cooling <= _SHOWN:
                    yield Finding("cool-down", "warned", *_cooling(item, inventory))
    for check, count in (("document", damaged), ("cool-down", cooling)):
        if count > _SHOWN:
            yield Finding(check, "warned", f"and {counted(count - _SHOWN)} more", "see list")
    if not damaged:
        yield Finding("documents", "passed", f"{counted(number)}, all in order")
    if not cooling:
        yield Finding("cool-down", "passed", "none")


def _cooling(item: Any, inventory: Inventory) -> tuple[str, str]:
    failure = item.lease.failure if item.lease is not None else None
    reason = "" if failure is None else f" ({failure.code}: {failure.message})"
    detail = f"{item.user or item.id} is {item.described(inventory.clock())}{reason}"
    if failure is not None and failure.refused:
        return detail, "Zoho refuses: if it goes on, have the user log in again"
    return detail, "wait; see whether Zoho can be reached from the application's hosts"


def _any_secret(kind: str) -> dict[str, Any]:
    return {"$or": [{field: {"$type": kind}} for field in SECRET_FIELDS]}
