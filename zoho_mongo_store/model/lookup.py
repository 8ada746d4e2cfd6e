"""The find order: which documents may be a token's, best first. Pure functions."""

import hashlib
from collections.abc import Mapping
from typing import Any

Filter = dict[str, Any]

_NAMELESS = {"user_name": {"$exists": False}}


def find_filters(fields: Mapping[str, Any]) -> list[Filter]:
    """The filters by which a token with these document fields is found, in order.

    Each is an equality on an indexed field. A given id is decisive. Nothing to look up by gives an
    empty list, never a filter that matches any document.
    """
    if "id" in fields:
        return [{"id": fields["id"]}]
    return _other_filters(fields)


def save_filters(fields: Mapping[str, Any]) -> list[Filter]:
    """The filters by which the document to update is found: as for finding, but an unknown id goes
    on down the list."""
    by_id = [{"id": fields["id"]}] if "id" in fields else []
    return by_id + _other_filters(fields)


def shared_id(filters: list[Filter], attempt: int) -> str | None:
    """The id of a new document, which all who race to insert the same token come to.

    MongoDB can hold two racing upserts apart only by a unique index, and credentials have none: the
    same refresh token may stand under two user names. So the id, which has one, is derived from the
    last thing that the token is looked up by. ``attempt`` counts the ids found taken. ``None`` when
    there is nothing to look up by, so nothing that two could share.
    """
    if not filters:
        return None
    field, value = next(iter(filters[-1].items()))
    return hashlib.sha256(f"{field}\0{attempt}\0{value}".encode()).hexdigest()[:32]


def _other_filters(fields: Mapping[str, Any]) -> list[Filter]:
    """Steps 2 to 5 of the find order.

    A token that carries a user name takes a document by its credentials only when that bears no
    name: two users are never mixed.
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
