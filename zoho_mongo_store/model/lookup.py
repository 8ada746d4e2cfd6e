"""The find order: the filters by which a token's document is looked up, without side effects."""

import hashlib
from collections.abc import Mapping
from typing import Any

Filter = dict[str, Any]

_NAMELESS = {"user_name": {"$exists": False}}


def find_filters(fields: Mapping[str, Any]) -> list[Filter]:
    """Return the filters that find a token, in the order in which to try them.

    Args:
        fields: The token's fields, as ``to_document`` returns them.

    Returns:
        Filters, each an equality on an indexed field. If there is an id, it is the only filter. The
        list is empty if there is nothing to look up by; no filter ever matches every document.
    """
    if "id" in fields:
        return [{"id": fields["id"]}]
    return _other_filters(fields)


def save_filters(fields: Mapping[str, Any]) -> list[Filter]:
    """Return the filters that find the document to update, in the order in which to try them.

    Args:
        fields: The token's fields, as ``to_document`` returns them.

    Returns:
        The same filters as ``find_filters``, except that the other filters follow the one on an id.
    """
    by_id = [{"id": fields["id"]}] if "id" in fields else []
    return by_id + _other_filters(fields)


def shared_id(filters: list[Filter], attempt: int) -> str | None:
    """Derive the id of a new document, so that processes racing to insert one token agree on it.

    Only a unique index keeps two racing upserts apart, and credentials cannot have one: the same
    refresh token may be stored under two user names. The id has a unique index, so it is derived
    from the last filter.

    Args:
        filters: What ``save_filters`` returned for the token.
        attempt: How many derived ids were found taken by other documents.

    Returns:
        32 hexadecimal digits, or ``None`` if there is nothing to look up by and so nothing to
        share.
    """
    if not filters:
        return None
    field, value = next(iter(filters[-1].items()))
    return hashlib.sha256(f"{field}\0{attempt}\0{value}".encode()).hexdigest()[:32]


def _other_filters(fields: Mapping[str, Any]) -> list[Filter]:
    """Return the filters after the one on the id.

    A token with a user name matches by its credentials only a document without a name, so that two
    users are never mixed.
    """
    filters: list[Filter] = []
    unclaimed: Filter = {}
    if "user_name" in fields:
        filters.append({"user_name": fields["user_name"]})
        unclaimed = _NAMELESS
    for field in _redeemable(fields):
        if field in fields:
            filters.append({field: fields[field], **unclaimed})
    return filters


def _redeemable(fields: Mapping[str, Any]) -> tuple[str, ...]:
    has_client_id, has_client_secret = "client_id" in fields, "client_secret" in fields
    if has_client_id and has_client_secret:
        return ("grant_token", "refresh_token")
    if not has_client_id and not has_client_secret:
        return ("access_token",)
    return ()
