"""``zoho-mongo-store export``."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.output import format_count, is_unicode, print_error, print_warning

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext
    from zoho_mongo_store.storage.repository import TokenRepository

_PAGE = 1000


class Format(StrEnum):
    """The formats of an export."""

    JSON_LINES = "jsonl"
    FILESTORE = "filestore"


@connected
def export(
    context: "CommandContext",
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File to write, readable only by its owner (mode 0600). It is written completely "
            "or not at all. Default: standard output.",
        ),
    ] = None,
    format: Annotated[
        Format,
        typer.Option(
            metavar="jsonl|filestore", help="JSON lines, or a file for the SDK's FileStore."
        ),
    ] = Format.JSON_LINES,
    show_secrets: Annotated[
        bool,
        typer.Option("--show-secrets", help="Write the tokens and client secrets in plain text."),
    ] = False,
    renumber: Annotated[
        bool,
        typer.Option(
            "--renumber",
            help="Number the rows of a FileStore file 1, 2, 3: FileStore cannot add users to a "
            "file whose ids are not numbers.",
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write all stored tokens to a file.

    Without --show-secrets it is an inventory, which says whose tokens there are but does not
    contain them. It cannot be imported.
    """
    from zoho_mongo_store.transfer.filestore import write_filestore
    from zoho_mongo_store.transfer.json_lines import write_json_lines

    if format is Format.FILESTORE and not show_secrets:
        raise typer.BadParameter("--format filestore needs --show-secrets")
    if renumber and format is not Format.FILESTORE:
        raise typer.BadParameter("--renumber needs --format filestore")
    if output is not None:
        _check_output(output, force=force)
    if context.encryption is None and _is_encrypted(context):
        raise CommandError("tokens are encrypted: give --kms-providers")
    export = _Export()
    tokens = context.repository()
    with _opened(output) as stream:
        documents = export.documents(tokens)
        if format is Format.FILESTORE:
            write_filestore(documents, stream, renumber=renumber)
        else:
            is_escaped = not is_unicode(stream)
            write_json_lines(documents, stream, with_secrets=show_secrets, ensure_ascii=is_escaped)
    if show_secrets:
        print_warning("the output contains tokens and client secrets in plain text")
    if format is Format.FILESTORE and export.other_ids and not renumber:
        print_warning(
            "FileStore cannot add users to a file whose ids are not numbers: see --renumber"
        )
    damaged = f", {export.damaged:,} damaged" if export.damaged else ""
    print_error("export", f"{format_count(export.written, 'token')} written{damaged}")
    if export.damaged:
        raise typer.Exit(1)


def _check_output(output: Path, *, force: bool) -> None:
    """Check that the file may be written, without replacing a folder or a device."""
    if output.exists() and not output.is_file():
        raise CommandError(f"{output} is not a file")
    if output.exists() and not force:
        raise CommandError(f"{output} exists: choose another file, or replace it with --force")
    if not output.parent.is_dir():
        raise CommandError(f"{output.parent} is not a folder")


def _is_encrypted(context: "CommandContext") -> bool:
    """Whether any token is encrypted; one index scan per field."""
    import pymongo

    from zoho_mongo_store.commands.context import TIMEOUT
    from zoho_mongo_store.encryption.first_key import ANY_BINARY, holds_credential

    with pymongo.timeout(TIMEOUT):
        return holds_credential(context.collection, ANY_BINARY)


class _Export:
    """Yields the documents that can be written, and counts them."""

    def __init__(self) -> None:
        self.written = 0
        self.damaged = 0
        self.other_ids = False

    def documents(self, tokens: "TokenRepository") -> Iterator[dict[str, Any]]:
        """Yield each stored token. A damaged one is reported and left out."""
        from zoho_mongo_store.encryption.cipher import UnreadableError
        from zoho_mongo_store.errors import StoreError
        from zoho_mongo_store.model.document import check_document

        scan = tokens.scan(_PAGE)
        while True:
            try:
                document = scan.next()
            except UnreadableError as error:
                self._skip(error)
                continue
            if document is None:
                return
            try:
                check_document(document)
            except StoreError as error:
                self._skip(error)
                continue
            self.written += 1
            self.other_ids |= not document["id"].isdecimal()
            yield document

    def _skip(self, error: Exception) -> None:
        self.damaged += 1
        print_error("export", f"left out: {error}")


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """Open a file or standard output: in UTF-8, except for a terminal, which has its encoding."""
    from zoho_mongo_store.transfer.private_file import private_file

    if output is not None:
        with private_file(output) as stream:
            yield stream
        return
    if sys.stdout.isatty() or not isinstance(sys.stdout, io.TextIOWrapper):
        yield sys.stdout
        return
    sys.stdout.flush()
    stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        yield stream
    finally:
        # Flushes it, and leaves standard output open.
        stream.detach()
