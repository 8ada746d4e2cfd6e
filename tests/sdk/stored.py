"""The stored documents, seen and changed past the store."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.collection import Collection

from zoho_mongo_store.model.document import expires_in_of

Documents = Callable[[], list[dict[str, Any]]]

_BOOKKEEPING = ("_id", "created_at", "updated_at", "expiry_time", "known_credentials")


def as_contents(document: dict[str, Any]) -> dict[str, Any]:
    """The document as the fields of a token, like ``tests.tokens.contents``."""
    fields = {field: value for field, value in document.items() if field not in _BOOKKEEPING}
    if "expiry_time" in document:
        fields["expires_in"] = expires_in_of(document["expiry_time"])
    return fields


def filled(document: dict[str, Any], *, by_id: bool) -> dict[str, Any]:
    """The fields of the token that the SDK was initialized with, once it is found.

    By an id the SDK merges what it found into its own token, and the API's domain is not among what
    it merges (oauth_token.py, ``merge_objects``).
    """
    fields = as_contents(document)
    return {name: value for name, value in fields.items() if not by_id or name != "api_domain"}


def expire_all(collection: "Collection[dict[str, Any]]") -> None:
    """Let the access token of every document have expired a second ago."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    collection.update_many({}, {"$set": {"expiry_time": past}})
