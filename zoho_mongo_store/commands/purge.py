"""``zoho-mongo-store purge``."""

from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.confirmation import confirm
from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.options import JsonOption, YesOption
from zoho_mongo_store.commands.output import console, format_count, print_json

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def purge(
    context: "CommandContext",
    idle_for: Annotated[
        timedelta,
        typer.Option(
            parser=parse_duration,
            metavar=METAVAR,
            help="Delete tokens that have not been saved for this long, such as 30d. A token in "
            "use is saved every hour.",
        ),
    ],
    yes: YesOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be deleted, and delete nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Delete tokens that have not been saved for a long time, after asking for confirmation.

    The time is counted on MongoDB's clock.
    """
    import pymongo

    from zoho_mongo_store.commands.context import SCAN_TIMEOUT, TIMEOUT
    from zoho_mongo_store.commands.token_summary import summarize
    from zoho_mongo_store.commands.token_table import print_tokens
    from zoho_mongo_store.driver.server_clock import server_clock

    now = server_clock(context.collection.database, TIMEOUT)()
    # A token that is saved in the meantime no longer matches, and stays.
    idle = {"updated_at": {"$lt": now - idle_for}}
    is_shown = not json and (dry_run or not yes)
    tokens = []
    if is_shown or json:
        with pymongo.timeout(SCAN_TIMEOUT):
            # A token that nobody has used for so long has no lease.
            tokens = [summarize(one, {}, now) for one in context.collection.find(idle)]
        tokens.sort(key=attrgetter("sort_key"))
    if is_shown:
        print_tokens(tokens, now, idle=True)
    if tokens and not dry_run and not yes:
        confirm(f"Delete {format_count(len(tokens), 'token')}?")
    deleted = 0
    if not dry_run and (tokens or yes):
        with pymongo.timeout(SCAN_TIMEOUT):
            deleted = context.collection.delete_many(idle).deleted_count
    if json:
        print_json({"idle": [one.as_json(now) for one in tokens], "deleted": deleted})
    elif dry_run:
        console().print(f"{format_count(len(tokens), 'token')} would be deleted")
    else:
        console().print(f"{format_count(deleted, 'token')} deleted")
