"""Running what changes a whole collection's encryption: progress, and what became of it."""

from collections.abc import Callable

import typer
from rich.progress import BarColumn, Progress, TextColumn

from zoho_mongo_store.commands.context import CommandContext
from zoho_mongo_store.commands.items import counted
from zoho_mongo_store.commands.output import console, print_json
from zoho_mongo_store.commands.reporting import FAILURE, say
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.encryption.maintenance import rotate_master_key
from zoho_mongo_store.encryption.move import Moved
from zoho_mongo_store.encryption.move import Progress as Step

_STEPS = {"documents": "Tokens", "waiting": "Waiting for all processes to know (seconds)"}


def moved(
    context: CommandContext, operation: Callable[..., Moved], done: str, *, json: bool
) -> None:
    """Run ``operation`` on the collection; status 1 if it left some documents as they are."""
    errors = console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        console=errors,
        disable=not errors.is_terminal,
        transient=True,
    )
    encryption = _encryption(context)
    with context.collection() as collection, bar:
        task = bar.add_task("Tokens", total=0)

        def report(step: Step) -> None:
            bar.update(task, description=_STEPS[step.step], completed=step.done, total=step.total)

        result = operation(collection, encryption, report=report)
    for reason in result.unreadable:
        say("encryption", f"left as it is: {reason}")
    if json:
        print_json({"changed": result.changed, "unreadable": result.unreadable})
    else:
        console().print(f"{counted(result.changed)} {done}")
    if result.unreadable:
        raise typer.Exit(FAILURE)


def rotated_master_key(context: CommandContext, *, json: bool, quiet: bool) -> None:
    """Wrap the data keys anew."""
    encryption = _encryption(context)
    with context.collection() as collection:
        number = rotate_master_key(collection, encryption)
    if json:
        print_json({"wrapped": number})
    elif not quiet:
        keys = f"{number} data key{'' if number == 1 else 's'}"
        console().print(f"{keys} wrapped with the master key of {encryption.provider}")


def _encryption(context: CommandContext) -> FieldEncryption:
    if context.encryption is None:
        raise typer.BadParameter("--kms-providers is needed: it holds the master keys")
    return context.encryption
