"""``zoho-mongo-store doctor``."""

from typing import TYPE_CHECKING

import typer

from zoho_mongo_store.commands.connecting import connected
from zoho_mongo_store.commands.output import JsonOption, console, print_json, table
from zoho_mongo_store.commands.reporting import FAILURE

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_STYLES = {"passed": "green", "warned": "yellow", "failed": "bold red"}


@connected
def doctor(context: "CommandContext", json: JsonOption = False) -> None:
    """Examine the server, the indexes and the stored tokens, and say what to do.

    Each line is passed, warned or failed. Ends with 1 if one failed; a warning does not count.
    Nothing is changed.
    """
    from rich.text import Text

    from zoho_mongo_store.commands.doctor.checks import examine

    findings = list(examine(context))
    if json:
        print_json([one._asdict() for one in findings])
    else:
        rows = [
            (Text(one.result, style=_STYLES[one.result]), one.check, one.detail, one.advice)
            for one in findings
        ]
        console().print(table(("result", "check", "found", "what to do"), rows))
    if any(one.result == "failed" for one in findings):
        raise typer.Exit(FAILURE)
