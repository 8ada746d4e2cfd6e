"""Runs the operations that change the encryption of a whole collection, and reports on them."""

from collections.abc import Callable

import typer
from rich.progress import BarColumn, Progress, TextColumn

from zoho_mongo_store.commands.context import CommandContext
from zoho_mongo_store.commands.failures import FAILURE, CommandError
from zoho_mongo_store.commands.output import console, format_count, print_error, print_json
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.encryption.maintenance import rotate_master_key
from zoho_mongo_store.encryption.migration import MigrationProgress, MigrationReport

_STEPS = {"documents": "Tokens", "waiting": "Waiting for all processes to know (seconds)"}


def run_migration(
    context: CommandContext,
    operation: Callable[..., MigrationReport],
    command: str,
    done: str,
    *,
    json: bool,
) -> None:
    """Run an operation on every document, with a progress bar on a terminal.

    Args:
        context: The collection.
        operation: A function of ``encryption.maintenance``.
        command: The command's name, for messages about single documents.
        done: What the documents are afterwards, such as ``"encrypted"``.
        json: Whether to report in JSON.

    Raises:
        typer.Exit: With status 1 if some documents were left unchanged.
    """
    encryption = require_encryption(context)
    errors = console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        console=errors,
        disable=not errors.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task("Tokens", total=0)

        def on_progress(progress: MigrationProgress) -> None:
            bar.update(
                task,
                description=_STEPS[progress.step],
                completed=progress.done,
                total=progress.total,
            )

        report = operation(context.collection, encryption, on_progress=on_progress)
    for reason in report.unreadable:
        print_error(command, f"left unchanged: {reason}")
    if json:
        print_json({"changed": report.changed, "unreadable": report.unreadable})
    else:
        console().print(f"{format_count(report.changed, 'token')} {done}")
    if report.unreadable:
        raise typer.Exit(FAILURE)


def run_master_key_rotation(context: CommandContext, *, json: bool, quiet: bool) -> None:
    """Wrap the data keys with another master key.

    Args:
        context: The collection.
        json: Whether to report in JSON.
        quiet: Whether to report nothing but JSON.

    Raises:
        CommandError: There is no data key.
    """
    encryption = require_encryption(context)
    number = rotate_master_key(context.collection, encryption)
    if not number:
        raise CommandError(
            f"the key vault {encryption.key_vault} has no data key {encryption.key_name!r}: check "
            "--key-vault and --key-name"
        )
    if json:
        print_json({"wrapped": number})
    elif not quiet:
        keys = format_count(number, "data key")
        console().print(f"{keys} wrapped with the master key of {encryption.provider}")


def require_encryption(context: CommandContext) -> FieldEncryption:
    """Return the encryption that the options name.

    Raises:
        typer.BadParameter: They name none: a usage error.
    """
    if context.encryption is None:
        raise typer.BadParameter("--kms-providers is missing: it names the file of the master keys")
    return context.encryption
