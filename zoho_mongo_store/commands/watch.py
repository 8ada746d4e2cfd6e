"""``zoho-mongo-store watch``."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.options import JsonOption

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


_PIPED_ROWS = 50


@connected
def watch(
    context: "CommandContext",
    rows: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            min=1,
            help="How many of the most recently saved tokens to follow. Default: as many as fit on "
            "the screen, or 50 in a pipe.",
        ),
    ] = None,
    length: Annotated[
        timedelta | None,
        typer.Option("--for", parser=parse_duration, metavar=METAVAR, help="Stop after this time."),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, help="Stop after this many readings of the tokens."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Watch failing tokens, the most recently saved ones, and their refreshes.

    On a terminal it shows one screen: totals of the whole collection, then the failing tokens,
    which need somebody's attention, then the most recently saved ones. In a pipe it writes one line
    for each change: the time, then the columns of list, separated by tabs; with --json, one line of
    JSON. It starts with the failing tokens. A deleted token has the state gone.

    If MongoDB does not answer, it says since when, and keeps trying. Stop it with Ctrl-C.

    On a replica set MongoDB reports each change (a change stream). Elsewhere the tokens are read
    every second, or less often if that takes long. To find the most recently saved tokens, MongoDB
    uses the index that init --expire-idle-after creates. Without it, the whole collection is read:
    once on a replica set, elsewhere each time.
    """
    from zoho_mongo_store.commands.output import console
    from zoho_mongo_store.commands.watch_lines import WatchLines
    from zoho_mongo_store.commands.watch_screen import WatchScreen
    from zoho_mongo_store.commands.watcher import Watcher

    terminal = console()
    try:
        if terminal.is_terminal and not json:
            # Failing ones among them are shown above the others.
            rows = rows or 2 * terminal.height
            with WatchScreen(terminal) as screen:
                Watcher(context, screen, rows=rows).run(length, count)
        else:
            rows = rows or _PIPED_ROWS
            Watcher(context, WatchLines(json=json, rows=rows), rows=rows).run(length, count)
    except KeyboardInterrupt:
        raise typer.Exit from None
