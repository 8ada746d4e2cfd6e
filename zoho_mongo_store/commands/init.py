"""``zoho-mongo-store init``."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.options import JsonOption
from zoho_mongo_store.commands.output import print_json, print_table

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_WORDS = {"unchanged": "existed already", "conflict": "conflicts, see below"}


@connected
def init(
    context: "CommandContext",
    expire_idle_after: Annotated[
        timedelta | None,
        typer.Option(
            parser=parse_duration,
            metavar=METAVAR,
            help="Make MongoDB delete tokens that have not been saved for this long, such as 90d. "
            "Pass the same time to MongoTokenStore in every application. Default: change nothing.",
        ),
    ] = None,
    keep_idle: Annotated[
        bool,
        typer.Option("--keep-idle", help="Keep idle tokens: drop the index that expires them."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Create the indexes that the store needs.

    Run it in a deploy step, as often as you like. With --kms-providers it also creates the index of
    the key vault. It reports which indexes it created and which existed already. A conflicting
    index is named and left unchanged.
    """
    from zoho_mongo_store.commands.index_setup import existing_idle_index, make_indexes
    from zoho_mongo_store.storage.token_indexes import idle_index

    if keep_idle and expire_idle_after is not None:
        raise typer.BadParameter("--keep-idle and --expire-idle-after exclude each other")
    idle = idle_index(expire_idle_after)
    if idle is None and not keep_idle:
        idle = existing_idle_index(context.collection)
    done, error = make_indexes(context.repository(idle=idle), context.collection)
    if json:
        print_json([{"index": name, "result": result} for name, result in done])
    else:
        rows = [(name, _WORDS.get(result, result)) for name, result in done]
        print_table(("index", "result"), rows)
    if error is not None:
        raise error
