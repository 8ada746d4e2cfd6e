"""Runs an import: a progress bar, a message for each special row, and a summary."""

from contextlib import ExitStack
from dataclasses import asdict

import typer
from pymongo.collection import Collection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zoho_mongo_store.commands.context import TIMEOUT, CommandContext
from zoho_mongo_store.commands.failures import FAILURE
from zoho_mongo_store.commands.output import (
    console,
    format_count,
    print_json,
    print_table,
    printable,
)
from zoho_mongo_store.commands.rights import check_rights, ensure_indexes
from zoho_mongo_store.encryption.collection import EncryptedCollection
from zoho_mongo_store.encryption.encryptor import Encryptor
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.transfer.importing import import_tokens
from zoho_mongo_store.transfer.report import Report
from zoho_mongo_store.transfer.rows import Source

_NOTES_IN_JSON = 1000
_MEANINGS = {
    "inserted": "new",
    "updated": "already stored with an earlier expiry: replaced",
    "filled": "already stored: only missing fields were added",
    "unchanged": "already stored",
    "kept": "already stored, and does not expire sooner: not replaced",
    "repeated": "skipped: another row for the same user is used",
    "damaged": "skipped: see the messages",
}


def run_import(context: CommandContext, source: Source, *, dry_run: bool, json: bool) -> None:
    """Import from ``source``, and exit with status 1 if rows are damaged."""
    notes: list[dict[str, object]] = []
    errors = console(stderr=True)
    with ExitStack() as stack:
        collection = context.collection
        documents: Collection[Document] | EncryptedCollection = collection
        if context.encryption is not None:
            encryptor = Encryptor(context.encryption, TIMEOUT)
            stack.callback(encryptor.close)
            documents = encryptor.in_plain(collection)
        if dry_run:
            check_rights(context)
        else:
            ensure_indexes(context)
        progress = stack.enter_context(_progress(errors))
        task = progress.add_task("Importing", total=None)

        def note(line: int, text: str) -> None:
            if len(notes) < _NOTES_IN_JSON:
                notes.append({source.unit: line, "note": text})
            shown = printable(text, errors.file)
            errors.print(f"{source.unit} {line}: {shown}", soft_wrap=True)

        report = import_tokens(
            source,
            documents,
            dry_run=dry_run,
            on_note=note,
            on_counted=lambda rows: progress.update(task, total=rows),
            on_progress=lambda rows: progress.update(task, completed=rows),
        )
    if json:
        print_json({"dry_run": dry_run, **asdict(report), "notes": notes})
    else:
        _show(report, dry_run)
    if report.damaged:
        raise typer.Exit(FAILURE)


def _show(report: Report, dry_run: bool) -> None:
    counts = asdict(report)
    rows = [(name, f"{counts[name]:,}", meaning) for name, meaning in _MEANINGS.items()]
    title = "Nothing was written. This would be done:" if dry_run else None
    print_table(("rows", "number", "meaning"), rows, title=title)
    console().print(format_count(report.rows, "row"))


def _progress(errors: Console) -> Progress:
    """Return a progress bar, which is shown only on a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        disable=not errors.is_terminal,
        transient=True,
    )
