"""``zoho-mongo-store doctor``."""

from typing import TYPE_CHECKING

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.failures import FAILURE
from zoho_mongo_store.commands.options import JsonOption
from zoho_mongo_store.commands.output import console, print_json, table

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_STYLES = {"passed": "green", "warned": "yellow", "failed": "bold red"}


@connected
def doctor(context: "CommandContext", json: JsonOption = False) -> None:
    """Check the server, the indexes and the stored tokens, and say what to do.

    Each check has passed, warned or failed. The command ends with 1 if one has failed. It changes
    nothing.
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
