"""How the program ends: usage errors in two lines, and no box around them."""

import sys
from collections.abc import Sequence
from typing import Any, cast

import typer
from typer.core import TyperGroup

from zoho_mongo_store.commands.failures import INTERRUPTED
from zoho_mongo_store.commands.output import printable

# Typer exports it in no version, and has moved it between its releases.
_UsageError = cast("type[Exception]", typer.BadParameter.__base__)
_USAGE_ERROR = 2


class OneLineErrors(TyperGroup):
    """A group of commands whose usage errors are a line, and a line that leads to the help."""

    def main(self, args: Sequence[str] | None = None, **options: Any) -> Any:
        """Run the command that the arguments name, and end the program."""
        if not options.pop("standalone_mode", True):
            return super().main(args, **options, standalone_mode=False)
        try:
            status = super().main(args, **options, standalone_mode=False)
        except _UsageError as error:
            _show(error)
            sys.exit(_USAGE_ERROR)
        except typer.Abort:
            sys.exit(INTERRUPTED)
        sys.exit(status if isinstance(status, int) else 0)


def _show(error: Any) -> None:
    """Show a usage error, but not that a command is missing: the help is on the screen by then."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return
    command = error.ctx.command_path
    text = " ".join(error.format_message().removeprefix("Invalid value: ").split())
    typer.echo(printable(f"{command}: {text}", sys.stderr), err=True)
    typer.echo(f"Try '{command} --help' for help.", err=True)
