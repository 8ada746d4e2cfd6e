"""Imports the tokens of another store into MongoDB, in batches."""

import itertools
from collections.abc import Callable, Iterable, Iterator

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.encryption.collection import EncryptedCollection
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document, now
from zoho_mongo_store.transfer.latest_rows import LatestRows
from zoho_mongo_store.transfer.matching import StoredTokens, looked_up_fields
from zoho_mongo_store.transfer.planning import plan, possible_ids, update_of
from zoho_mongo_store.transfer.report import Report, note_of
from zoho_mongo_store.transfer.rows import InvalidRow, Row, Source
from zoho_mongo_store.transfer.writing import write_all

_BATCH = 500
_BATCH_SECONDS = 60.0
# An attempt fails only because another save changed the same document.
_ATTEMPTS = 5


def import_tokens(
    source: Source,
    documents: Collection[Document] | EncryptedCollection,
    *,
    dry_run: bool = False,
    on_note: Callable[[int, str], None] | None = None,
    on_counted: Callable[[int], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Report:
    """Import every token of a source, and report what was done with each row.

    An import can be run again at any time, even while the application is running: a stored token is
    replaced only by one that expires later; otherwise only its missing fields are filled in.

    The source is read twice, the first time to find the row that expires last for each login. The
    memory use does not grow with the source.

    Args:
        source: Where the tokens come from.
        documents: The token collection, with its indexes.
        dry_run: Whether to write nothing.
        on_note: Called with a line number and a text for each row that is not simply stored.
        on_counted: Called once with the number of rows.
        on_progress: Called with the number of rows processed so far.

    Returns:
        The counts of the rows.

    Raises:
        SourceError: The source cannot be read.
        StoreError: Other saves kept changing the same documents.
        PyMongoError: MongoDB cannot be reached or refuses a write. Tokens written so far stay.
    """
    on_note = on_note or _ignore
    on_counted = on_counted or _ignore
    on_progress = on_progress or _ignore
    report = Report()
    with LatestRows() as latest:
        for row in source.rows():
            report.rows += 1
            if isinstance(row, Row):
                latest.add(row)
        on_counted(report.rows)
        chosen = _chosen(source, latest, report, on_note)
        while batch := list(itertools.islice(chosen, _BATCH)):
            _store(batch, documents, dry_run, on_note, report)
            on_progress(report.dealt_with)
    on_progress(report.rows)
    return report


def _ignore(*_: object) -> None:
    """Do nothing."""


def _chosen(
    source: Source, latest: LatestRows, report: Report, on_note: Callable[[int, str], None]
) -> Iterator[Row]:
    """Yield the rows to store, and note the others."""
    for row in source.rows():
        if isinstance(row, InvalidRow):
            report.damaged += 1
            on_note(row.line, f"skipped: {row.reason}")
            continue
        if row.warning:
            on_note(row.line, f"warning: {row.warning}")
        line = latest.line_for(row)
        if line != row.line:
            report.repeated += 1
            on_note(row.line, f"skipped: {source.unit} {line} for the same user is used")
        else:
            yield row


def _store(
    batch: list[Row],
    documents: Collection[Document] | EncryptedCollection,
    dry_run: bool,
    on_note: Callable[[int, str], None],
    report: Report,
) -> None:
    """Store a batch. If another save has changed a row's document, that row is planned again."""
    for _ in range(_ATTEMPTS):
        moment = now()
        tokens = StoredTokens(_stored(documents, [row.document for row in batch]))
        plans = [(row, plan(row.document, tokens, moment)) for row in batch]
        updates = [(row, update_of(row.document, planned, moment)) for row, planned in plans]
        to_write = [(row, update) for row, update in updates if update is not None]
        conflicts: set[int] = set()
        if to_write and not dry_run:
            with pymongo.timeout(_BATCH_SECONDS):
                positions = write_all([update for _, update in to_write], documents)
            conflicts = {to_write[position][0].line for position in positions}
        for row, planned in plans:
            if row.line not in conflicts:
                report.count(planned.action)
                if note := note_of(row.document, planned):
                    on_note(row.line, note)
        batch = [row for row in batch if row.line in conflicts]
        if not batch:
            return
    raise StoreError("other saves kept changing the same documents: run the import again")


def _stored(
    documents: Collection[Document] | EncryptedCollection, rows: list[Document]
) -> list[Document]:
    """Return the documents to which these rows may belong, with one command."""
    values: dict[str, set[str]] = {
        "id": {id for row in rows for id in possible_ids(row)},
        "user_name": {row["user_name"] for row in rows if "user_name" in row},
    }
    for field in CREDENTIAL_FIELDS:
        values[field] = {row[field] for row in rows if field in looked_up_fields(row)}
    # Each of these fields has an index.
    conditions = [{field: {"$in": sorted(found)}} for field, found in values.items() if found]
    with pymongo.timeout(_BATCH_SECONDS):
        # The documents of a batch fit into one answer; more would be fetched within the timeout.
        matches: Iterable[Document] = documents.find({"$or": conditions}, batch_size=2 * _BATCH)
        return [one for one in matches if isinstance(one.get("id"), str)]
