"""``zoho-mongo-store delete`` and ``purge``."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connecting import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.output import JsonOption, console, print_json
from zoho_mongo_store.commands.reporting import CommandError

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def delete(
    context: "CommandContext",
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Ids, as list shows them.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Delete the token of this user.")
    ] = None,
) -> None:
    """Delete stored tokens. At Zoho they stay good: to end them there as well, see revoke."""
    import pymongo

    from zoho_mongo_store.commands.context import TIMEOUT

    if bool(ids) == (user is not None):
        raise typer.BadParameter("give either ids or --user")
    filters = [{"user_name": user}] if user is not None else [{"id": id} for id in ids or []]
    unknown = []
    with context.collection() as collection:
        for filter in filters:
            with pymongo.timeout(TIMEOUT):
                if collection.delete_one(filter).deleted_count:
                    typer.echo(f"deleted {_named(filter)}")
                else:
                    unknown.append(_named(filter))
    if unknown:
        raise CommandError(f"not stored: {', '.join(unknown)}")


@connected
def purge(
    context: "CommandContext",
    idle_for: Annotated[
        timedelta,
        typer.Option(
            parser=parse_duration,
            metavar=METAVAR,
            help="Tokens that nobody saved for so long: 30d. One in use is saved every hour.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be deleted; delete nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Delete the tokens that nobody saved for a long time, by the server's clock. Asks first."""
    import pymongo

    from zoho_mongo_store.commands.context import SCAN_TIMEOUT
    from zoho_mongo_store.commands.inventory import Inventory
    from zoho_mongo_store.commands.items import counted, item_table

    with context.open() as tokens, context.collection() as collection:
        inventory = Inventory(tokens)
        now = inventory.clock()
        before = now - idle_for
        items = [
            one for one in inventory.all() if one.updated_at is not None and one.updated_at < before
        ]
        deleted = 0
        if not json and (dry_run or not yes):
            console().print(item_table(items, now))
        if items and not dry_run:
            if not yes:
                typer.confirm(f"Delete {counted(len(items))}?", abort=True, err=True)
            # One that was saved meanwhile stays.
            with pymongo.timeout(SCAN_TIMEOUT):
                deleted = collection.delete_many({"updated_at": {"$lt": before}}).deleted_count
    if json:
        print_json({"idle": [one.as_json(now) for one in items], "deleted": deleted})
    elif dry_run:
        console().print(f"{counted(len(items))} would be deleted")
    else:
        console().print(f"{counted(deleted)} deleted")


def _named(filter: dict[str, str]) -> str:
    [(field, value)] = filter.items()
    return f"{'user' if field == 'user_name' else field} {value}"
