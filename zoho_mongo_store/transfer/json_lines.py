"""Reads and writes JSON lines: one token per line, with the names of the document's fields."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from zoho_mongo_store.model.document import SECRET_FIELDS, Document, expires_in_of
from zoho_mongo_store.transfer.columns import COLUMNS, Columns
from zoho_mongo_store.transfer.foreign_files import foreign_kind, text_of
from zoho_mongo_store.transfer.rows import InvalidRow, Row, RowError, SourceError
from zoho_mongo_store.transfer.text_lines import Line, head_of, lines_of
from zoho_mongo_store.transfer.validation import checked_document, encoding_warning
from zoho_mongo_store.transfer.values import to_text

_ARRAY = re.compile(r"\[\s*(\{|$)")
# Exported only for information. An import sets its own.
_INFORMATION = ("created_at", "updated_at")


class JsonLinesFile:
    """A file of JSON lines, such as ``export`` writes."""

    unit = "line"

    def __init__(self, path: Path, *, ignored_columns: Collection[str] = ()) -> None:
        """Choose the file. It is not opened before ``rows`` is called.

        Args:
            path: The file.
            ignored_columns: Names to leave out, even if they have values.
        """
        self._path = path
        self._ignored = (*_INFORMATION, *ignored_columns)

    def rows(self) -> Iterator[Row | InvalidRow]:
        """Read the rows; see ``Source``. Names are those of ``Columns``."""
        head = head_of(self._path)
        kind = foreign_kind(head)
        if kind is None and _ARRAY.match(text_of(head)):
            kind = "is a JSON array: write one object per line, for example with jq -c '.[]'"
        if kind is not None:
            raise SourceError(f"{self._path} {kind}")
        for line in lines_of(self._path):
            yield line if isinstance(line, InvalidRow) else _row(line, self._ignored)


def write_json_lines(
    documents: Iterable[Document],
    stream: TextIO,
    *,
    with_secrets: bool = False,
    ensure_ascii: bool = False,
) -> None:
    """Write one object per line.

    The expiry is written as the SDK's epoch milliseconds, other dates in ISO 8601.

    Args:
        documents: The documents to write.
        stream: Where to write.
        with_secrets: Whether to write the tokens and the client secret. Without them, the file is
            an inventory, which cannot be imported.
        ensure_ascii: Whether to escape non-ASCII characters.
    """
    names = [name for name in COLUMNS if with_secrets or name not in SECRET_FIELDS]
    for document in documents:
        values: dict[str, Any] = {name: document[name] for name in names if name in document}
        if "expiry_time" in values:
            values["expiry_time"] = expires_in_of(values["expiry_time"])
        for name in _INFORMATION:
            if isinstance(document.get(name), datetime):
                values[name] = document[name].isoformat()
        stream.write(json.dumps(values, ensure_ascii=ensure_ascii) + "\n")


def _row(line: Line, ignored: Collection[str]) -> Row | InvalidRow:
    try:
        document = checked_document(_fields(line.text, ignored))
        return Row(line.number, document, encoding_warning(line, document))
    except RowError as error:
        return InvalidRow(line.number, str(error))


def _fields(text: str, ignored: Collection[str]) -> dict[str, object]:
    """Return the values of an object by field.

    Raises:
        RowError: It is not an object, or has different values of one field.
        SourceError: A name that is neither known nor ignored has a value.
    """
    try:
        # Keep numbers as they are written, such as an expiry that a spreadsheet has rounded.
        pairs = json.loads(text, object_pairs_hook=_Pairs, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise RowError("it is not JSON") from None
    if not isinstance(pairs, _Pairs):
        raise RowError("it is not a JSON object")
    columns = Columns([name for name, _ in pairs], ignored)
    return columns.read([_text(value) for _, value in pairs])


def _text(value: object) -> object:
    """Convert a number to a string. A string keeps its spaces, exactly as it was exported."""
    if isinstance(value, _Pairs):
        return dict(value)
    return value if isinstance(value, str) else to_text(value)


class _Pairs(list[tuple[str, object]]):
    """The names and values of an object, in which a name may occur twice."""
