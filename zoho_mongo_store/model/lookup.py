"""The find order: the filters that look up a token's document. Pure functions."""

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
        Filters that begin with an equality on an indexed field. If there is an id, the filter on it
        is the only one. If there is nothing to look up by, the list is empty: no filter ever
        matches every document.
    """
    if "id" in fields:
        return [{"id": fields["id"], **_same_client(fields)}]
    return _other_filters(fields)


def save_filters(fields: Mapping[str, Any]) -> list[Filter]:
    """Return the filters that find the document to update, in the order in which to try them.

    Args:
        fields: The token's fields, as ``to_document`` returns them.

    Returns:
        The same filters as ``find_filters``, except that the other filters follow the one on an id.
    """
    by_id = [{"id": fields["id"], **_same_client(fields)}] if "id" in fields else []
    return by_id + _other_filters(fields)


def other_clients_filter(fields: Mapping[str, Any]) -> Filter | None:
    """Return the filter for a document of another OAuth client with the same user name.

    Args:
        fields: The token's fields, as ``to_document`` returns them.

    Returns:
        The filter, or ``None`` if the token has no user name or no client id.
    """
    if "user_name" not in fields or "client_id" not in fields:
        return None
    return {"user_name": fields["user_name"], "client_id": {"$nin": [fields["client_id"], None]}}


def looked_up_credentials(fields: Mapping[str, Any]) -> list[str]:
    """Return the credentials by which a token is looked up, in the find order.

    Args:
        fields: The token's fields, as ``to_document`` returns them.
    """
    if ("client_id" in fields) != ("client_secret" in fields):
        return []
    looked_up = ("grant_token", "refresh_token") if "client_id" in fields else ("access_token",)
    return [field for field in looked_up if field in fields]


def shared_id(filters: list[Filter], attempt: int) -> str | None:
    """Derive the id of a new document from the last of its filters; see ``derived_id``.

    Args:
        filters: What ``save_filters`` returned for the token.
        attempt: The number of derived ids that other documents already have.

    Returns:
        32 hexadecimal digits, or ``None`` if there are no filters.
    """
    if not filters:
        return None
    field, value = next(iter(filters[-1].items()))
    return derived_id(field, value, attempt)


def derived_id(field: str, value: str, attempt: int) -> str:
    """Derive an id from a field, so that processes racing to insert one token agree on it.

    Args:
        field: The name of the field.
        value: Its value.
        attempt: The number of derived ids that other documents already have.

    Returns:
        32 hexadecimal digits.
    """
    return hashlib.sha256(f"{field}\0{attempt}\0{value}".encode()).hexdigest()[:32]


def _other_filters(fields: Mapping[str, Any]) -> list[Filter]:
    """Return the filters after the one on the id.

    By its credentials, a token with a user name matches only a document without a name, so that two
    users are never mixed.
    """
    filters: list[Filter] = []
    owner = _same_client(fields)
    if "user_name" in fields:
        filters.append({"user_name": fields["user_name"], **owner})
        owner = {**_NAMELESS, **owner}
    for field in looked_up_credentials(fields):
        filters.append({field: fields[field], **owner})
    return filters


def _same_client(fields: Mapping[str, Any]) -> Filter:
    """Return the condition that a document's OAuth client, if known, is that of the token.

    The SDK's name of a user, ``email:org``, does not contain the client, so one user of two
    applications has the same name in both.
    """
    return {"client_id": {"$in": [fields["client_id"], None]}} if "client_id" in fields else {}
