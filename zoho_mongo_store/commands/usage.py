"""What the program prints itself: usage errors on two lines, warnings on one."""

import sys
from typing import Any, cast

import typer
from typer.core import TyperGroup

from zoho_mongo_store.commands.failures import INTERRUPTED
from zoho_mongo_store.commands.output import print_text, print_warning

# Typer exports it in no version, and has moved it between its releases.
_UsageError = cast("type[Exception]", typer.BadParameter.__base__)
_USAGE_ERROR = 2


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a library's warning, without the line of source code that Python adds."""
    print_warning(str(message))


class OneLineErrors(TyperGroup):
    """A group of commands that shows a usage error as one line, and one that points to the help."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands in the order of the help: import, a group, comes before export."""
        names = super().list_commands(ctx)
        if "import" in names:
            names.remove("import")
            names.insert(names.index("export"), "import")
        return names

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command that the arguments name, and exit."""
        is_program = options.get("standalone_mode", True)
        options["standalone_mode"] = False
        try:
            status = super().main(*arguments, **options)
        except (_UsageError, typer.Abort) as error:
            if not is_program:
                raise
            if isinstance(error, typer.Abort):
                sys.exit(INTERRUPTED)
            _show(error)
            sys.exit(_USAGE_ERROR)
        if is_program:
            sys.exit(status if isinstance(status, int) else 0)
        return status


def _show(error: Any) -> None:
    """Show a usage error, unless a command is missing: then the help has been shown already."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return
    command = error.ctx.command_path
    text = " ".join(error.format_message().removeprefix("Invalid value: ").split())
    print_text(f"{command}: {text.replace('Value error, ', '', 1)}", stderr=True)
    print_text(f"Try '{command} --help' for help.", stderr=True)
