"""JSON lines: one token a line, under the names of the document's fields."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from zoho_mongo_store.model.document import SECRET_FIELDS, Document, expires_in_of
from zoho_mongo_store.transfer.lines import lines_of
from zoho_mongo_store.transfer.rows import COLUMNS, InvalidRow, Row, checked

# When they were stored: for the reader's information. An import sets its own.
_INFORMATION = ("created_at", "updated_at")


class JsonLinesFile:
    """A file of JSON lines that ``export`` wrote."""

    unit = "line"

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self) -> Iterator[Row | InvalidRow]:
        """See ``Source``. Names that are no columns are ignored."""
        for line in lines_of(self._path):
            yield line if isinstance(line, InvalidRow) else _row(line.number, line.text)


def write_json_lines(
    documents: Iterable[Document], stream: TextIO, *, with_secrets: bool = False
) -> None:
    """Write one object a line: the expiry in the SDK's epoch milliseconds, other dates in ISO 8601.

    with_secrets: without it the tokens and the client secret are left out; what is written is an
        inventory, which cannot be imported.
    """
    names = [name for name in COLUMNS if with_secrets or name not in SECRET_FIELDS]
    for document in documents:
        values: dict[str, Any] = {name: document[name] for name in names if name in document}
        if "expiry_time" in values:
            values["expiry_time"] = expires_in_of(values["expiry_time"])
        for name in _INFORMATION:
            if isinstance(document.get(name), datetime):
                values[name] = document[name].isoformat()
        stream.write(json.dumps(values, ensure_ascii=False) + "\n")


def _row(number: int, text: str) -> Row | InvalidRow:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return InvalidRow(number, "it is not JSON")
    if not isinstance(fields, dict):
        return InvalidRow(number, "it is not a JSON object")
    return checked(number, fields)
