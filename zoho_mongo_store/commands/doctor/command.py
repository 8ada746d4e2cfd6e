"""``zoho-mongo-store doctor``."""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.failures import FAILURE
from zoho_mongo_store.commands.options import JsonOption
from zoho_mongo_store.commands.output import console, print_json, print_lines, printable, table

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext
    from zoho_mongo_store.commands.doctor.findings import Finding

_STYLES = {"passed": "green", "warned": "yellow", "failed": "bold red"}


@connected
def doctor(
    context: "CommandContext",
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="Check only that MongoDB answers and that the indexes exist: for a probe.",
        ),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with status 1 on warnings too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Check the server, the role, the indexes and the stored tokens, and say what to do.

    Each check has passed, warned or failed. The command exits with status 1 if one has failed. It
    changes nothing. In a pipe each finding is one line: result, check, what was found and what to
    do, separated by tabs.
    """
    from zoho_mongo_store.commands.doctor.checks import examine

    findings = list(examine(context, quick=quick))
    if json:
        print_json([one._asdict() for one in findings])
    elif console().is_terminal:
        _show(findings)
    else:
        print_lines((one.result, one.check, one.detail, one.advice) for one in findings)
    bad = {"failed", "warned"} if strict else {"failed"}
    if any(one.result in bad for one in findings):
        raise typer.Exit(FAILURE)


def _show(findings: "Sequence[Finding]") -> None:
    """Write the findings to a terminal, each with its advice below it."""
    from rich.text import Text

    rows = []
    for one, following in zip_longest(findings, findings[1:]):
        found = Text(printable(one.detail))
        # Where several need the same, it is said once.
        if one.advice and (following is None or following.advice != one.advice):
            found.append(f"\n-> {printable(one.advice)}", style="bold")
        rows.append((Text(one.result, style=_STYLES[one.result]), one.check, found))
    counts = Counter[str](one.result for one in findings)
    console().print(table(("result", "check", "found"), rows))
    console().print(", ".join(f"{counts[result]} {result}" for result in _STYLES), style="dim")
