"""``zoho-mongo-store purge``."""

from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.options import JsonOption
from zoho_mongo_store.commands.output import console, print_json

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
            help="How long a token has not been saved, such as 30d. A token in use is saved every "
            "hour.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be deleted, and delete nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Delete the tokens that have not been saved for a long time, after asking for confirmation.

    The time is counted by MongoDB's clock.
    """
    import pymongo

    from zoho_mongo_store.commands.context import SCAN_TIMEOUT
    from zoho_mongo_store.commands.inventory import Inventory
    from zoho_mongo_store.commands.token_table import count_tokens, token_table

    inventory = Inventory(context.repository())
    now = inventory.clock()
    before = now - idle_for
    tokens = sorted(
        (one for one in inventory.all() if one.updated_at is not None and one.updated_at < before),
        key=attrgetter("sort_key"),
    )
    deleted = 0
    if not json and (dry_run or not yes):
        console().print(token_table(tokens, now))
    if tokens and not dry_run:
        if not yes:
            typer.confirm(f"Delete {count_tokens(len(tokens))}?", abort=True, err=True)
        # A token that was saved in the meantime stays.
        idle = {"updated_at": {"$lt": before}}
        with pymongo.timeout(SCAN_TIMEOUT):
            deleted = context.collection.delete_many(idle).deleted_count
    if json:
        print_json({"idle": [one.as_json(now) for one in tokens], "deleted": deleted})
    elif dry_run:
        console().print(f"{count_tokens(len(tokens))} would be deleted")
    else:
        console().print(f"{count_tokens(deleted)} deleted")
