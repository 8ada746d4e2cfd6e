"""A row of another store: a token that can be stored, or damage that is reported and skipped."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document, from_document, to_document
from zoho_mongo_store.sdk import OAuthToken, SDKException, UserSignature

# The columns of the SDK's MySQL table (db_store.py, save_token).
COLUMNS = (
    "id",
    "user_name",
    "client_id",
    "client_secret",
    "refresh_token",
    "access_token",
    "grant_token",
    "expiry_time",
    "redirect_url",
    "api_domain",
)
_SIMPLE_COLUMNS = tuple(name for name in COLUMNS if name not in ("user_name", "expiry_time"))


class SourceError(StoreError):
    """A source that cannot be read at all; its text shows no secret."""


class Row(NamedTuple):
    """A token, as the document that it becomes. Its id is absent if the source has none."""

    line: int
    document: Document


class InvalidRow(NamedTuple):
    """A row that holds no token; ``reason`` quotes no value."""

    line: int
    reason: str


class Source(Protocol):
    """Where tokens come from."""

    unit: str
    """What its rows are counted in: ``"line"`` or ``"row"``."""

    def rows(self) -> Iterator[Row | InvalidRow]:
        """All rows in their order, one in memory at a time. May be called again.

        Raises ``SourceError`` for what is no such source.
        """


def checked(line: int, fields: Mapping[str, object]) -> Row | InvalidRow:
    """The row of these columns, which goes through the checks of a save.

    ``None`` and ``""`` are absent. A token that has nothing to redeem or to use, or that the SDK
    would refuse to make again, is damage.
    """
    try:
        document = to_document(_token(fields))
        if not any(field in document for field in CREDENTIAL_FIELDS):
            return InvalidRow(line, "it has no access, refresh or grant token")
        if "access_token" not in document:
            document.pop("expiry_time", None)  # It must not become another access token's.
        from_document({"id": "new", **document})
    except StoreError as error:
        return InvalidRow(line, str(error))
    except SDKException as error:
        return InvalidRow(line, f"the SDK refuses its fields ({error.code})")
    return Row(line, document)


def _token(fields: Mapping[str, object]) -> OAuthToken:
    """A token of these fields, whatever they are: ``to_document`` is what checks them."""
    token = OAuthToken(access_token="replaced below")  # noqa: S106 - the constructor wants one
    for column in _SIMPLE_COLUMNS:
        getattr(token, f"set_{column}")(fields.get(column))
    name = fields.get("user_name")
    if name:
        token.set_user_signature(UserSignature(name))  # type: ignore[arg-type]
    token.set_expires_in(fields.get("expiry_time"))  # type: ignore[arg-type]
    return token
