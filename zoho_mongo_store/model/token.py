"""Converts tokens to documents and back, without side effects."""

from collections.abc import Mapping
from typing import Any

from zoho_mongo_store.errors import InvalidInputError
from zoho_mongo_store.model.document import (
    TEXT_FIELDS,
    Document,
    check_id,
    checked_text,
    expiry_date,
    kind_of,
    stored_expiry,
    stored_text,
)
from zoho_mongo_store.model.login import knows
from zoho_mongo_store.sdk import OAuthToken, UserSignature

_GETTERS = [(field, getattr(OAuthToken, f"get_{field}")) for field in TEXT_FIELDS]
# Without the access token, which is filled together with its expiry.
_FILLED = [
    (field, getter, getattr(OAuthToken, f"set_{field}"))
    for field, getter in _GETTERS
    if field != "access_token"
]


def to_document(token: object) -> Document:
    """Convert a token to a document.

    Args:
        token: The token to convert.

    Returns:
        The fields that are set, under their MongoDB names. ``None`` and ``""`` are left out.

    Raises:
        InvalidInputError: ``token`` is not an ``OAuthToken``, or one of its fields is not a string
            that BSON can store. So MongoDB never reads a value as a query operator.
    """
    if not isinstance(token, OAuthToken):
        raise InvalidInputError(f"a token must be an OAuthToken, not {kind_of(token)}")
    document: Document = {}
    for field, getter in _GETTERS:
        value = getter(token)
        if value is not None and checked_text(field, value):
            document[field] = value
    name = _user_name(token.get_user_signature())
    if name:
        document["user_name"] = name
    expires_in = token.get_expires_in()
    if expires_in is not None and expires_in != "":
        document["expiry_time"] = expiry_date(expires_in)
    return document


def from_document(document: Mapping[str, Any]) -> OAuthToken:
    """Create a token from a stored document.

    The token is created by the SDK's constructor, because only that sets the private attributes
    that ``get_token`` reads (``OAuthToken.__find_user``). Without them, the SDK never saves the
    token and refreshes it on every call.

    Args:
        document: A document from the token collection.

    Returns:
        A token with every field of the document.

    Raises:
        StoreError: The document has no id, or a field has the wrong type.
    """
    check_id(document)
    fields: dict[str, Any] = {field: stored_text(document, field) for field in TEXT_FIELDS}
    name = stored_text(document, "user_name")
    token = OAuthToken(user_signature=UserSignature(name) if name else None, **fields)
    token.set_expires_in(stored_expiry(document))
    return token


def fill(token: OAuthToken, document: Mapping[str, Any]) -> None:
    """Fill the unset fields of a token from a stored document.

    The access token and its expiry are replaced as a pair, even if they are set, so that a token
    never has one access token with another's expiry. If the document has known the token's refresh
    token before, a later login has replaced that one, and the stored one is used.

    Args:
        token: The token to fill, changed in place.
        document: A document from the token collection.

    Raises:
        StoreError: The document has no id, or a field has the wrong type.
    """
    check_id(document)
    for field, getter, setter in _FILLED:
        value = stored_text(document, field)
        if not getter(token):
            setter(token, value)
    own, stored = token.get_refresh_token(), document.get("refresh_token")
    if own and stored and own != stored and knows(document, "refresh_token", own):
        token.set_refresh_token(stored)
    name = stored_text(document, "user_name")
    if not _user_name(token.get_user_signature()):
        token.set_user_signature(UserSignature(name) if name else None)
    access_token = stored_text(document, "access_token")
    if access_token is not None:
        token.set_access_token(access_token)
        token.set_expires_in(stored_expiry(document))
    elif not token.get_access_token():
        token.set_expires_in(token.get_expires_in() or stored_expiry(document))


def _user_name(signature: object) -> str | None:
    if signature is None:
        return None
    if not isinstance(signature, UserSignature):
        raise InvalidInputError(f"user_signature must be a UserSignature, not {kind_of(signature)}")
    name: object = signature.get_name()
    return None if name is None else checked_text("user_name", name)
