"""Splits lines of comma-separated values into cells, and recognizes the header line."""

import re
from collections.abc import Collection
from typing import NamedTuple

from zoho_mongo_store.model.document import CREDENTIAL_FIELDS
from zoho_mongo_store.transfer.columns import COLUMNS, Columns, field_of
from zoho_mongo_store.transfer.rows import RowError
from zoho_mongo_store.transfer.values import ROUNDED, is_absent, is_rounded

_DELIMITERS = (",", ";", "\t")
# A quoted cell with the spaces around it, or a cell without quotation marks.
_CELLS = {
    delimiter: re.compile(
        rf'[^\S{delimiter}]*"([^"]*(?:""[^"]*)*)"[^\S{delimiter}]*(?={delimiter}|$)'
        rf'|([^"{delimiter}]*)(?={delimiter}|$)'
    )
    for delimiter in _DELIMITERS
}
_OLD_COLUMNS = frozenset(COLUMNS) - {"api_domain"}
_SDK_1_CELLS = 6
_NUMBER = re.compile(r"\d+")
_EXPIRY = re.compile(r"\d{10}|\d{13}")
_URL = re.compile(r"https?://", re.IGNORECASE)
_ANY_URL = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_API_DOMAIN = re.compile(r"https?://[^/]*\bzohoapis\b", re.IGNORECASE)
_ZOHO_CREDENTIAL = re.compile(r"1000\.")


class Header(NamedTuple):
    """The line that names the columns.

    Attributes:
        delimiter: The character that separates the cells.
        columns: What each cell of a row contains.
        padding: The number of empty cells after the names, which spreadsheets may add.
    """

    delimiter: str
    columns: Columns
    padding: int


def header_of(text: str, ignored: Collection[str] = ()) -> Header | None:
    """Read the line that names the columns.

    Args:
        text: A line of the file.
        ignored: Names of columns to leave out.

    Returns:
        The header, or ``None`` if the line does not name a credential and another field.
    """
    headers = []
    for delimiter in _DELIMITERS:
        try:
            names = cells_of(text, delimiter)
        except RowError:
            continue
        width = len(names)
        while names and not names[-1]:
            names.pop()
        headers.append(Header(delimiter, Columns(names, ignored), width - len(names)))
    best = max(headers, key=lambda one: len(set(one.columns.fields)), default=None)
    if best is None:
        return None
    found = set(best.columns.fields) - {None}
    return best if len(found) > 1 and not found.isdisjoint(CREDENTIAL_FIELDS) else None


def begins_like_header(text: str) -> bool:
    """Whether a line may name the columns. A quick test before ``header_of``."""
    return field_of(re.split(r"[,;\t]", text, maxsplit=1)[0]) is not None


def cells_of(text: str, delimiter: str) -> list[str]:
    """Split a line into its cells, without the spaces and quotation marks around them.

    Raises:
        RowError: The quotation marks do not match.
    """
    if '"' not in text:
        return [cell.strip() for cell in text.split(delimiter)]
    cells: list[str] = []
    position = 0
    while True:
        cell = _CELLS[delimiter].match(text, position)
        if cell is None:
            raise RowError("its quotation marks do not match")
        quoted, plain = cell.groups()
        cells.append((plain if quoted is None else quoted.replace('""', '"')).strip())
        if cell.end() == len(text):
            return cells
        position = cell.end() + 1


def fields_of(cells: list[str], header: Header, *, may_be_cut: bool) -> dict[str, object]:
    """Return the values of a row by field.

    If the SDK is upgraded between two saves, one file has rows of nine and of ten cells: the tenth,
    the API domain, is optional. A row with more or fewer cells than columns is accepted only if no
    cell before its expiry can be missing or duplicated.

    Args:
        cells: The cells of the row.
        header: The line that names the columns.
        may_be_cut: Whether the row may have lost its beginning or its end.

    Raises:
        RowError: Cells are missing, left over or apparently in the wrong columns.
        SourceError: There is a value in a column that is neither known nor ignored.
    """
    columns = header.columns
    fitted, api_domain = _fitted(cells, header, may_be_cut=may_be_cut)
    if len(fitted) != len(columns.names):
        raise RowError(_wrong_count(fitted, len(columns.names)))
    fields = columns.read(fitted)
    if api_domain:
        fields["api_domain"] = api_domain
    widths = (len(columns.names), len(columns.names) + header.padding)
    if len(cells) not in widths and not _is_anchored(columns, fields):
        raise RowError(_wrong_count(cells, len(columns.names)))
    if _is_shifted(fields):
        raise RowError("its values are in the wrong columns")
    return fields


def _fitted(cells: list[str], header: Header, *, may_be_cut: bool) -> tuple[list[str], str]:
    """Add or remove cells at the end that may be missing or left over.

    Returns:
        As many cells as there are columns, if possible, and the API domain if a row has ten cells
        in a file with nine columns.
    """
    expected, fields = len(header.columns.names), header.columns.fields
    while len(cells) > expected and not cells[-1]:
        cells = cells[:-1]
    if len(cells) == expected + 1 and set(fields) == _OLD_COLUMNS and _URL.match(cells[-1]):
        return cells[:-1], cells[-1]
    if len(cells) == expected - 1 and fields[-1] == "api_domain":
        if may_be_cut:
            raise RowError("it is only part of a row: it was cut off, or a value has a line break")
        return [*cells, ""], ""
    return cells, ""


def _is_anchored(columns: Columns, fields: dict[str, object]) -> bool:
    """Whether the expiry, which is easy to recognize, is in its column after the other fields.

    Only the two URLs may follow it, and each must be one.
    """
    at = columns.fields.index("expiry_time") if "expiry_time" in columns.fields else 0
    follows_all = {"redirect_url", "api_domain"}.issuperset(columns.fields[at + 1 :])
    redirect_url, api_domain = fields.get("redirect_url"), fields.get("api_domain")
    return (
        follows_all
        and _EXPIRY.fullmatch(str(fields.get("expiry_time", ""))) is not None
        and (not redirect_url or _ANY_URL.match(str(redirect_url)) is not None)
        and (not api_domain or _API_DOMAIN.match(str(api_domain)) is not None)
    )


def _wrong_count(cells: list[str], expected: int) -> str:
    if any(is_rounded(cell) for cell in cells):
        return ROUNDED
    if len(cells) == _SDK_1_CELLS and _NUMBER.fullmatch(cells[-1]):
        return "it is a row of SDK 1, which has no client secret"
    return f"it has {len(cells)} columns, not {expected}"


def _is_shifted(fields: dict[str, object]) -> bool:
    """Whether values are in impossible columns, because a cell before them is missing."""
    credentials = [str(fields.get(field, "")) for field in CREDENTIAL_FIELDS]
    urls = [str(fields.get(field, "")) for field in ("redirect_url", "api_domain")]
    return (
        any(_NUMBER.fullmatch(value) or _URL.match(value) for value in credentials)
        or any(_NUMBER.fullmatch(value) or _ZOHO_CREDENTIAL.match(value) for value in urls)
        or _ZOHO_CREDENTIAL.match(str(fields.get("user_name", ""))) is not None
        or _API_DOMAIN.match(str(fields.get("redirect_url", ""))) is not None
    )


def is_blank(cells: list[str]) -> bool:
    """Whether no cell has a value. The SDK turns blank lines into such rows if it adds a column."""
    return all(is_absent(cell) for cell in cells)
