"""Decides, for the whole fleet, which login may exchange a grant token."""

import hashlib
from datetime import timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.model.login import credential_digest

# A claim may be purged while its grant token is still stored: then nobody can claim that again.
_KEPT_FOR = timedelta(days=1)


def claim_grant(
    leases: Collection[Document], grant_token: str, claimant: str, *, is_stored: bool
) -> bool:
    """Claim a grant token, with one command.

    Args:
        leases: The collection of leases, whose TTL index purges claims too.
        grant_token: The grant token to claim.
        claimant: Identifies the claiming login, such as by its state. Only a digest is stored.
        is_stored: Whether the grant token was already found in a stored token.

    Returns:
        Whether the claimant holds the claim. If the grant token is not stored, the first to claim
        it does.
    """
    digest = hashlib.sha256(claimant.encode()).hexdigest()
    claim = {"_id": f"login:{credential_digest('grant_token', grant_token)}"}
    unknown = {"claimant": None if is_stored else digest, "purge_at": now() + _KEPT_FOR}
    try:
        held = _insert_or_read(leases, claim, unknown)
    except DuplicateKeyError:
        held = _insert_or_read(leases, claim, unknown)
    return bool(held["claimant"] == digest)


def _insert_or_read(leases: Collection[Document], claim: Document, fields: Document) -> Any:
    return leases.find_one_and_update(
        claim, {"$setOnInsert": fields}, upsert=True, return_document=ReturnDocument.AFTER
    )
