"""Bringing the tokens of another store into MongoDB, in batches, as often as one likes."""

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.encryption.collection import EncryptedCollection
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.transfer.latest_rows import LatestRows
from zoho_mongo_store.transfer.planning import (
    Action,
    KnownTokens,
    Plan,
    is_same_login,
    possible_ids,
)
from zoho_mongo_store.transfer.rows import InvalidRow, Row, Source
from zoho_mongo_store.transfer.writing import Update, write_all

_BATCH = 500
_BATCH_SECONDS = 60.0
# A row is tried again only when another save of the same user got in between.
_ATTEMPTS = 5
_SHOWN_FIELDS = {"id": 1, "user_name": 1, "expiry_time": 1}


class Target(NamedTuple):
    """Where the tokens go."""

    collection: Collection[Document]
    documents: Collection[Document] | EncryptedCollection
    """What encrypts secrets on their way to it; the collection itself where none are."""


@dataclass
class Report:
    """How many rows there were, and what became of them; the other counts add up to ``rows``."""

    rows: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    """Stored already, with the same expiry."""
    kept: int = 0
    """What is stored expires later, so it stays."""
    repeated: int = 0
    """Another row for the same user counts."""
    damaged: int = 0

    def count(self, action: Action, rows: int = 1) -> None:
        """Count rows of which this became."""
        setattr(self, action.value, getattr(self, action.value) + rows)

    @property
    def dealt_with(self) -> int:
        """How many rows were dealt with so far."""
        stored = self.inserted + self.updated + self.unchanged + self.kept
        return stored + self.repeated + self.damaged


def import_tokens(
    source: Source,
    target: Target,
    *,
    dry_run: bool = False,
    on_note: Callable[[int, str], None] | None = None,
    on_counted: Callable[[int], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Report:
    """Store every token of ``source`` under its own id, and say what became of each row.

    The source is read twice, first to see which of several rows for one user counts: the one that
    expires last. A user or login that is stored is updated only by a row that expires later, so an
    import can be run again at any time, also beside the application. Damaged rows are skipped. The
    memory that it takes does not grow with the source. The collection has to have its indexes.

    dry_run: write nothing.
    on_note: called with the line and what is special about it, for what is not simply stored.
    on_counted: called once with the number of rows.
    on_progress: called with the number of rows that were dealt with.

    Raises ``SourceError``, and what pymongo raises; what was written until then stays.
    """
    on_note = on_note or _ignore
    on_counted = on_counted or _ignore
    on_progress = on_progress or _ignore
    report = Report()
    with LatestRows() as winners:
        for row in source.rows():
            report.rows += 1
            if isinstance(row, Row):
                winners.add(row)
        on_counted(report.rows)
        counting = _counting(source, winners, report, on_note)
        while batch := list(itertools.islice(counting, _BATCH)):
            _store(batch, target, dry_run, on_note, report)
            on_progress(report.dealt_with)
    on_progress(report.rows)
    return report


def _ignore(*_: object) -> None:
    """Nobody wants to know."""


def _counting(
    source: Source, winners: LatestRows, report: Report, on_note: Callable[[int, str], None]
) -> Iterator[Row]:
    """The rows that count; the others are noted."""
    for row in source.rows():
        if isinstance(row, InvalidRow):
            report.damaged += 1
            on_note(row.line, f"skipped: {row.reason}")
        elif (line := winners.line_for(row)) != row.line:
            report.repeated += 1
            on_note(row.line, f"skipped: {source.unit} {line} for the same user counts")
        else:
            yield row


def _store(
    batch: list[Row],
    target: Target,
    dry_run: bool,
    on_note: Callable[[int, str], None],
    report: Report,
) -> None:
    """Store a batch; rows that met a save of the same user are decided about again."""
    for _ in range(_ATTEMPTS):
        known = KnownTokens(_stored(target.collection, batch))
        plans = [
            (row, known.plan(row.document, functools.partial(_is_login, target, row.document)))
            for row in batch
        ]
        beaten = set() if dry_run else _write(plans, target)
        for row, plan in plans:
            if row.line not in beaten:
                report.count(plan.action)
                if remark := _remark(row.document, plan):
                    on_note(row.line, remark)
        batch = [row for row in batch if row.line in beaten]
        if not batch:
            return
    raise StoreError("other saves of the same users kept getting in between: run the import again")


def _stored(collection: Collection[Document], batch: list[Row]) -> Iterator[Document]:
    """What is stored under the ids and the user names of these rows."""
    ids = [id for row in batch for id in possible_ids(row.document)]
    names = [row.document["user_name"] for row in batch if "user_name" in row.document]
    with pymongo.timeout(_BATCH_SECONDS):
        yield from collection.find({"id": {"$in": ids}}, _SHOWN_FIELDS)
        yield from collection.find({"user_name": {"$in": names}}, _SHOWN_FIELDS)


def _is_login(target: Target, document: Document, id: str) -> bool:
    with pymongo.timeout(_BATCH_SECONDS):
        return is_same_login(document, target.documents.find_one({"id": id}))


def _write(plans: list[tuple[Row, Plan]], target: Target) -> set[int]:
    """Write what was planned; the lines of the rows that another save was quicker than."""
    planned = [(row.line, _update(row.document, plan)) for row, plan in plans]
    updates = {line: update for line, update in planned if update is not None}
    if not updates:
        return set()
    with pymongo.timeout(_BATCH_SECONDS):
        beaten = write_all(list(updates.values()), target.documents)
    lines = list(updates)
    return {lines[index] for index in beaten}


def _update(document: Document, plan: Plan) -> Update | None:
    moment = now()
    fields = {field: value for field, value in document.items() if field != "id"}
    fields["updated_at"] = moment
    if plan.action is Action.INSERT:
        new = {"$setOnInsert": {"created_at": moment, **fields}}
        return Update({"id": plan.id}, new, upsert=True)
    if plan.action is Action.UPDATE:
        newer = {"expiry_time": {"$gt": document["expiry_time"]}}
        return Update({"id": plan.id, "$nor": [newer]}, {"$set": fields}, upsert=False)
    return None


def _remark(document: Document, plan: Plan) -> str:
    """What is special about a row that is stored, or is not."""
    own = document.get("id", plan.id)
    if plan.action is Action.KEEP:
        return "not taken: what is stored for this user expires later"
    if plan.id == own:
        return ""
    if plan.action is Action.INSERT:
        return f"stored with the id {plan.id}: the id {own} is another login's"
    return f"the user keeps the id {plan.id} that is stored, not {own}"
