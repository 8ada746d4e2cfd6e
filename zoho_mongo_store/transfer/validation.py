"""Checks rows in the same way as a save checks tokens."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document
from zoho_mongo_store.transfer.columns import COLUMNS
from zoho_mongo_store.transfer.rows import RowError
from zoho_mongo_store.transfer.text_lines import Line
from zoho_mongo_store.transfer.values import ROUNDED, is_rounded, to_milliseconds

if TYPE_CHECKING:
    from zoho_mongo_store.sdk import OAuthToken

_SET_DIRECTLY = tuple(name for name in COLUMNS if name not in ("user_name", "expiry_time"))
# Zoho issues these in ASCII; a user name may have other letters.
_ASCII_FIELDS = tuple(name for name in COLUMNS if name != "user_name")


def checked_document(fields: Mapping[str, object]) -> Document:
    """Convert the fields of a row to a document.

    Args:
        fields: The values by field, without absent ones.

    Returns:
        The document for a token with these fields.

    Raises:
        RowError: There is no access, refresh or grant token, or a save would reject a field.
    """
    # A second's work, which an export has no use for.
    from zoho_mongo_store.model.token import from_document, to_document
    from zoho_mongo_store.sdk import SDKException

    if is_rounded(fields.get("expiry_time")):
        raise RowError(ROUNDED)
    try:
        document = to_document(_token(fields))
        if document.keys().isdisjoint(CREDENTIAL_FIELDS):
            raise RowError("it has no access, refresh or grant token")
        if "access_token" not in document:
            # Otherwise it would later be taken for the expiry of another access token.
            document.pop("expiry_time", None)
        # The SDK may refuse to make a token of fields that it has stored.
        from_document({"id": "new", **document})
    except StoreError as error:
        raise RowError(str(error)) from None
    except SDKException as error:
        raise RowError(f"the SDK refuses its fields ({error.code})") from None
    return document


def encoding_warning(line: Line, document: Document) -> str:
    """Return what the user should check in a line that is not UTF-8, or ``""``.

    Raises:
        RowError: The line is Latin-1 and has non-ASCII letters outside the user name.
    """
    if not line.is_latin1:
        return ""
    for field in _ASCII_FIELDS:
        if not str(document.get(field, "")).isascii():
            raise RowError(f"its {field} contains characters that are not UTF-8")
    return "it is not UTF-8 and was read as Latin-1: check the letters of the user name"


def _token(fields: Mapping[str, object]) -> "OAuthToken":
    """Make a token of unchecked fields; ``to_document`` checks them."""
    from zoho_mongo_store.sdk import OAuthToken, UserSignature

    token = OAuthToken(access_token="replaced below")  # noqa: S106 - the constructor requires one
    for field in _SET_DIRECTLY:
        getattr(token, f"set_{field}")(fields.get(field))
    name = fields.get("user_name")
    if name is not None:
        token.set_user_signature(UserSignature(name))  # type: ignore[arg-type]
    token.set_expires_in(to_milliseconds(fields.get("expiry_time")))  # type: ignore[arg-type]
    return token
