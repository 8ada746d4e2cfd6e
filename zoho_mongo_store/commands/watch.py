"""``zoho-mongo-store watch``."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.options import JsonOption

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def watch(
    context: "CommandContext",
    rows: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            min=1,
            help="How many tokens to show. Default: as many as fit, or 50 in a pipe.",
        ),
    ] = None,
    length: Annotated[
        timedelta | None,
        typer.Option("--for", parser=parse_duration, metavar=METAVAR, help="End after this time."),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, help="End after reading the tokens this often."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Watch the tokens that were saved last, and their refreshes. Ctrl-C ends it.

    On a replica set MongoDB reports each change (a change stream); elsewhere the tokens are read
    every second, or less often where a reading takes long. With --json each change is one line. In
    a pipe each change writes the table again.

    To find the tokens that were saved last, MongoDB uses the index that init --expire-idle-after
    makes. Without it the whole collection is read: once on a replica set, elsewhere each time.
    """
    from zoho_mongo_store.commands.watcher import Watcher

    watcher = Watcher(context, rows=rows, json=json)
    try:
        watcher.run(length, count)
    except KeyboardInterrupt:
        raise typer.Exit from None
