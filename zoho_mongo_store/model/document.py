"""A token's document: its fields, their types and its dates."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.binary import Binary
from bson.tz_util import utc

from zoho_mongo_store.errors import InvalidInputError, StoreError

Document = dict[str, Any]

MARGIN = timedelta(seconds=5)
"""An access token counts as expired this long before its expiry (oauth_token.py, get_token)."""

ENCRYPTED = 6
"""The BSON binary subtype of an encrypted value."""

SECRET_FIELDS = ("client_secret", "refresh_token", "access_token", "grant_token")
CREDENTIAL_FIELDS = ("refresh_token", "access_token", "grant_token")
ACCESS_TOKEN_FIELDS = ("access_token", "expiry_time")

TEXT_FIELDS = (
    "id",
    "client_id",
    "client_secret",
    "refresh_token",
    "access_token",
    "grant_token",
    "redirect_url",
    "api_domain",
)
"""The text columns of the SDK's MySQL table (db_store.py, save_token)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Subtraction is faster between dates that share a tzinfo object, and pymongo's dates have this one.
_EPOCH_AS_READ = _EPOCH.astimezone(utc)
_MILLISECOND = timedelta(milliseconds=1)


def checked_text(field: str, value: object) -> str:
    """Check that a value is a string that BSON, which is UTF-8, can store.

    Args:
        field: The name of the field, for the error.
        value: The value to check.

    Returns:
        The value.

    Raises:
        InvalidInputError: It is not a string, or contains a lone surrogate.
    """
    if not isinstance(value, str):
        raise InvalidInputError(f"{field} must be a string, not {kind_of(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidInputError(
                f"{field} contains a lone surrogate, which UTF-8 cannot encode"
            ) from None
    return value


def expiry_date(expires_in: object) -> datetime:
    """Convert the SDK's expiry to a date.

    A BSON date has millisecond precision, so ``expires_in_of`` returns exactly the same string.

    Args:
        expires_in: Epoch milliseconds in canonical decimal notation. The SDK stores a string
            (oauth_token.py, parse_response); an int is accepted too.

    Returns:
        The expiry in UTC.

    Raises:
        InvalidInputError: It has another type, is not canonical, or is after the year 9999.
    """
    if isinstance(expires_in, bool) or not isinstance(expires_in, (str, int)):
        raise InvalidInputError(
            f"expires_in must be a string of epoch milliseconds, not {kind_of(expires_in)}"
        )
    try:
        milliseconds = int(expires_in)
        if expires_in in (milliseconds, str(milliseconds)):
            return _EPOCH + milliseconds * _MILLISECOND
    except (ValueError, OverflowError):
        pass
    raise InvalidInputError(
        "expires_in must be epoch milliseconds of a date no later than the year 9999"
    )


def expires_in_of(date: datetime) -> str:
    """Convert a stored expiry to the SDK's string of epoch milliseconds."""
    return str((date - _EPOCH_AS_READ) // _MILLISECOND)


def now() -> datetime:
    """Return this host's time in UTC, truncated to the precision of a BSON date."""
    return _EPOCH + time.time_ns() // 1_000_000 * _MILLISECOND


def check_document(document: Mapping[str, Any]) -> None:
    """Check that a stored document can be turned into a token.

    Raises:
        StoreError: The document has no id, or a field has the wrong type.
    """
    check_id(document)
    for field in (*TEXT_FIELDS, "user_name"):
        stored_text(document, field)
    stored_expiry(document)


def check_id(document: Mapping[str, Any]) -> None:
    """Check that a stored document has an id.

    Raises:
        StoreError: It has none.
    """
    # A document that is not stored yet has neither _id nor id.
    if "_id" in document and not document.get("id"):
        raise StoreError(f"the document {document['_id']!r} is not a token: it has no id")


def stored_text(document: Mapping[str, Any], field: str) -> str | None:
    """Return a string field of a stored document; ``None`` if it is absent or empty.

    Raises:
        StoreError: It is not a string.
    """
    value = document.get(field)
    if value is None or isinstance(value, str):
        return value or None
    raise _damaged(document, field, value)


def stored_expiry(document: Mapping[str, Any]) -> str | None:
    """Return the expiry of a stored document as the SDK's string; ``None`` if it has none.

    Raises:
        StoreError: It is not a date.
    """
    value = document.get("expiry_time")
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise _damaged(document, "expiry_time", value)
    return expires_in_of(value)


def kind_of(value: object) -> str:
    """Name the type of a value, for an error."""
    return type(value).__name__


def _damaged(document: Mapping[str, Any], field: str, value: object) -> StoreError:
    if isinstance(value, Binary) and value.subtype == ENCRYPTED:
        return StoreError(
            f"the {field} of the document {document.get('_id')!r} is encrypted: give the store the "
            "keys with encryption=FieldEncryption(...)"
        )
    return StoreError(
        f"the document {document.get('_id')!r} is damaged: its {field} is of type {kind_of(value)}"
    )
