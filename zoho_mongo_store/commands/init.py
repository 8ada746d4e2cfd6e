"""``zoho-mongo-store init``."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connecting import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.output import JsonOption, console, print_json, table

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_WORDS = {"unchanged": "stood already", "conflict": "in the way, see below"}


@connected
def init(
    context: "CommandContext",
    expire_idle_after: Annotated[
        timedelta | None,
        typer.Option(
            parser=parse_duration,
            metavar=METAVAR,
            help="Have MongoDB remove tokens that nobody saved for so long: 90d. Applications have "
            "to pass the same to MongoTokenStore. Default: what stands already.",
        ),
    ] = None,
    keep_idle: Annotated[
        bool, typer.Option("--keep-idle", help="Remove no idle tokens: drop that index.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make the indexes that the store needs, for a deploy step; with keys also the key vault's.

    Says which it made and which stood already; an index that is in the way is named, and left as
    it is. May be run again at any time.
    """
    from zoho_mongo_store.commands.index_report import made_indexes, standing_idle
    from zoho_mongo_store.storage.token_indexes import idle_index

    if keep_idle and expire_idle_after is not None:
        raise typer.BadParameter("--keep-idle and --expire-idle-after exclude each other")
    with context.collection() as collection:
        idle = idle_index(expire_idle_after)
        if idle is None and not keep_idle:
            idle = standing_idle(collection)
        with context.open(idle=idle) as tokens:
            done, error = made_indexes(tokens, collection)
    if json:
        print_json([{"index": name, "result": result} for name, result in done])
    else:
        rows = [(name, _WORDS.get(result, result)) for name, result in done]
        console().print(table(("index", "result"), rows))
    if error is not None:
        raise error
