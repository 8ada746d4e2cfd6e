"""Converts tokens to MongoDB documents and back, without side effects."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.binary import Binary
from bson.tz_util import utc

from zoho_mongo_store.errors import InvalidInputError, StoreError
from zoho_mongo_store.model.login import knows
from zoho_mongo_store.sdk import OAuthToken, UserSignature

Document = dict[str, Any]

ENCRYPTED = 6
"""The BSON binary subtype of an encrypted value."""

SECRET_FIELDS = ("client_secret", "refresh_token", "access_token", "grant_token")
CREDENTIAL_FIELDS = ("refresh_token", "access_token", "grant_token")
ACCESS_TOKEN_FIELDS = ("access_token", "expiry_time")

# The text columns of the SDK's MySQL table (db_store.py, save_token).
_TEXT_FIELDS = (
    "id",
    "client_id",
    "client_secret",
    "refresh_token",
    "access_token",
    "grant_token",
    "redirect_url",
    "api_domain",
)
_GETTERS = [(field, getattr(OAuthToken, f"get_{field}")) for field in _TEXT_FIELDS]
# Not the access token, which is filled together with its expiry.
_FILLED = [
    (field, getter, getattr(OAuthToken, f"set_{field}"))
    for field, getter in _GETTERS
    if field != "access_token"
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Subtraction is faster between dates that share a tzinfo object: pymongo's dates carry this one.
_EPOCH_AS_READ = _EPOCH.astimezone(utc)
_MILLISECOND = timedelta(milliseconds=1)


def to_document(token: object) -> Document:
    """Convert a token to a document.

    Args:
        token: The token to convert.

    Returns:
        The fields that are set, under their MongoDB names. ``None`` and ``""`` are left out.

    Raises:
        InvalidInputError: If ``token`` is not an ``OAuthToken``, or one of its fields is not a
            string that BSON can store. MongoDB therefore never reads a value as a query operator.
    """
    if not isinstance(token, OAuthToken):
        raise InvalidInputError(f"a token has to be an OAuthToken, not {_kind(token)}")
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
    """Make a token from a stored document.

    The token comes from the SDK's constructor, because only the constructor sets the private
    attributes that ``get_token`` reads (``OAuthToken.__find_user``). Without them the SDK never
    saves the token and refreshes it on every call.

    Args:
        document: A document from the token collection.

    Returns:
        A token with every field of the document.

    Raises:
        StoreError: If the document has no id, or a field has the wrong type.
    """
    _check_id(document)
    fields: dict[str, Any] = {field: _stored_text(document, field) for field in _TEXT_FIELDS}
    name = _stored_text(document, "user_name")
    token = OAuthToken(user_signature=UserSignature(name) if name else None, **fields)
    token.set_expires_in(_stored_expiry(document))
    return token


def fill(token: OAuthToken, document: Mapping[str, Any]) -> None:
    """Fill the unset fields of a token from a stored document.

    The access token and its expiry are replaced as a pair, even where they are set, so that a token
    never carries one access token with the expiry of another. A refresh token that the document has
    known before gives way to the stored one, by which a later login replaced it.

    Args:
        token: The token to fill, changed in place.
        document: A document from the token collection.

    Raises:
        StoreError: If the document has no id, or a field has the wrong type.
    """
    _check_id(document)
    for field, getter, setter in _FILLED:
        value = _stored_text(document, field)
        if not getter(token):
            setter(token, value)
    own, stored = token.get_refresh_token(), document.get("refresh_token")
    if own and stored and own != stored and knows(document, "refresh_token", own):
        token.set_refresh_token(stored)
    name = _stored_text(document, "user_name")
    if not _user_name(token.get_user_signature()):
        token.set_user_signature(UserSignature(name) if name else None)
    access_token = _stored_text(document, "access_token")
    if access_token is not None:
        token.set_access_token(access_token)
        token.set_expires_in(_stored_expiry(document))
    elif not token.get_access_token():
        token.set_expires_in(token.get_expires_in() or _stored_expiry(document))


def checked_text(field: str, value: object) -> str:
    """Check that a value is a string that BSON, which is UTF-8, can store.

    Args:
        field: The name of the field, for the error.
        value: The value to check.

    Returns:
        The value.

    Raises:
        InvalidInputError: If it is not a string, or contains a lone surrogate.
    """
    if not isinstance(value, str):
        raise InvalidInputError(f"{field} has to be a string, not {_kind(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidInputError(f"{field} holds a lone surrogate, which is no text") from None
    return value


def expiry_date(expires_in: object) -> datetime:
    """Convert the SDK's expiry to a date.

    A BSON date has millisecond precision, so ``expires_in_of`` gives back exactly the same string.

    Args:
        expires_in: Epoch milliseconds in canonical decimal notation. The SDK stores a string
            (oauth_token.py, parse_response); an int is accepted too.

    Returns:
        The expiry in UTC.

    Raises:
        InvalidInputError: If it is of another type, not canonical, or after the year 9999.
    """
    if isinstance(expires_in, bool) or not isinstance(expires_in, (str, int)):
        raise InvalidInputError(
            f"expires_in has to be a string of epoch milliseconds, not {_kind(expires_in)}"
        )
    try:
        milliseconds = int(expires_in)
        if expires_in in (milliseconds, str(milliseconds)):
            return _EPOCH + milliseconds * _MILLISECOND
    except (ValueError, OverflowError):
        pass
    raise InvalidInputError("expires_in has to be epoch milliseconds of a date up to year 9999")


def expires_in_of(date: datetime) -> str:
    """Convert a stored expiry to the SDK's string of epoch milliseconds."""
    return str((date - _EPOCH_AS_READ) // _MILLISECOND)


def now() -> datetime:
    """Return this host's time in UTC, truncated to the precision of a BSON date."""
    return _EPOCH + time.time_ns() // 1_000_000 * _MILLISECOND


def _kind(value: object) -> str:
    return type(value).__name__


def _user_name(signature: object) -> str | None:
    if signature is None:
        return None
    if not isinstance(signature, UserSignature):
        raise InvalidInputError(f"user_signature has to be a UserSignature, not {_kind(signature)}")
    name: object = signature.get_name()
    return None if name is None else checked_text("user_name", name)


def _check_id(document: Mapping[str, Any]) -> None:
    # What is not stored yet has neither.
    if "_id" in document and not document.get("id"):
        raise StoreError(f"the document {document['_id']!r} is not a token: it has no id")


def _stored_text(document: Mapping[str, Any], field: str) -> str | None:
    """Give a text field of a stored document; ``None`` for one that is absent or empty."""
    value = document.get(field)
    if value is None or isinstance(value, str):
        return value or None
    raise _damaged(document, field, value)


def _stored_expiry(document: Mapping[str, Any]) -> str | None:
    value = document.get("expiry_time")
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise _damaged(document, "expiry_time", value)
    return expires_in_of(value)


def _damaged(document: Mapping[str, Any], field: str, value: object) -> StoreError:
    if isinstance(value, Binary) and value.subtype == ENCRYPTED:
        return StoreError(
            f"the {field} of the document {document.get('_id')!r} is encrypted: give the store the "
            "keys, encryption=FieldEncryption(...)"
        )
    return StoreError(
        f"the document {document.get('_id')!r} is damaged: its {field} is of type {_kind(value)}"
    )
