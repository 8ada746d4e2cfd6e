"""What an import takes of memory."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

from zoho_mongo_store.transfer.importing import import_tokens
from zoho_mongo_store.transfer.report import Report
from zoho_mongo_store.transfer.rows import InvalidRow, Row


class Many:
    """A source of so many rows, which are never in memory together; every tenth is damaged."""

    unit = "row"

    def __init__(self, number: int) -> None:
        self._number = number

    def rows(self) -> Iterator[Row | InvalidRow]:
        for n in range(self._number):
            document = {"id": str(n), "user_name": f"user{n}", "refresh_token": f"R{n}"}
            yield InvalidRow(n, "broken") if n % 10 == 0 else Row(n, document)


class Emptiness:
    """A collection that holds nothing and keeps nothing: what the server does takes no memory."""

    def __init__(self) -> None:
        self.written = 0

    def find(self, *_: Any, **__: Any) -> Iterator[Any]:
        return iter(())

    def bulk_write(self, writes: list[Any], **_: Any) -> None:
        self.written += len(writes)


def peak(rows: int) -> int:
    """The most bytes that an import of so many rows holds at once."""
    collection: Any = Emptiness()
    tracemalloc.start()
    try:
        report = import_tokens(Many(rows), collection)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report == Report(rows=rows, inserted=rows * 9 // 10, damaged=rows // 10)
    assert collection.written == report.inserted
    return most


def test_memory_does_not_grow_with_the_source() -> None:
    peak(1_000)  # What is made once.
    # Ten times the rows. What is measured varies by a tenth or two from run to run.
    assert peak(10_000) < 1.5 * peak(1_000)
