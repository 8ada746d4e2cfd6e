"""``zoho-mongo-store watch``."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connecting import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.output import JsonOption

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def watch(
    context: "CommandContext",
    rows: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", min=1, help="Tokens to show. Default: as many as fit; 50 when piped."
        ),
    ] = None,
    length: Annotated[
        timedelta | None,
        typer.Option("--for", parser=parse_duration, metavar=METAVAR, help="End after so long."),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, help="End after so many looks at the tokens."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Watch the tokens that were saved last, and their refreshes, live. Ctrl-C ends it.

    MongoDB tells of changes where it can (a change stream); elsewhere they are looked for every
    second. With --json each change is one line; piped, a table is written for each change.
    """
    from zoho_mongo_store.commands.watching import Watching

    watching = Watching(context, rows=rows, json=json)
    try:
        watching.run(length, count)
    except KeyboardInterrupt:
        raise typer.Exit from None
