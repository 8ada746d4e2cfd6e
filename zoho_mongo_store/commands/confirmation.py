"""Asks for confirmation before something that cannot be undone."""

import sys

import typer

from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.output import print_text


def confirm(question: str) -> None:
    """Ask on standard error, and read the answer from standard input.

    Args:
        question: The question, which says what is about to be done.

    Raises:
        CommandError: The answer is not yes, or there is none because nobody is at a terminal.
    """
    print_text(f"{question} [y/N] ", stderr=True, end="")
    answer = sys.stdin.readline()
    if not (answer and sys.stdin.isatty()):
        # Nobody's Enter has ended the line.
        typer.echo(err=True)
    if not answer:
        raise CommandError("nothing was done: answer y, or give --yes")
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was done")
