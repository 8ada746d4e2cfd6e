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
            help="How many of the tokens that were saved last to follow. Default: as many as fit, "
            "or 50 in a pipe.",
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
    """Watch the tokens that fail, those that were saved last, and their refreshes.

    On a terminal it is one screen: totals of the whole collection, then the tokens that need
    somebody's attention, then those that were saved last. In a pipe each change is one line: its
    time, then what list writes, with a tab between them; with --json it is one line of JSON. It
    begins with the tokens that fail. A token that is deleted is gone.

    It goes on while MongoDB does not answer, and says since when. Ctrl-C ends it.

    On a replica set MongoDB reports each change (a change stream); elsewhere the tokens are read
    every second, or less often where a reading takes long. To find the tokens that were saved last,
    MongoDB uses the index that init --expire-idle-after makes. Without it the whole collection is
    read: once on a replica set, elsewhere each time.
    """
    from zoho_mongo_store.commands.output import console
    from zoho_mongo_store.commands.watch_lines import WatchLines
    from zoho_mongo_store.commands.watch_screen import WatchScreen
    from zoho_mongo_store.commands.watcher import Watcher

    terminal = console()
    try:
        if terminal.is_terminal and not json:
            # Those of them that fail are shown above the others.
            rows = rows or 2 * terminal.height
            with WatchScreen(terminal) as screen:
                Watcher(context, screen, rows=rows).run(length, count)
        else:
            rows = rows or _PIPED_ROWS
            Watcher(context, WatchLines(json=json, rows=rows), rows=rows).run(length, count)
    except KeyboardInterrupt:
        raise typer.Exit from None
