"""``zoho-mongo-store list``."""

from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.options import JsonOption, as_text
from zoho_mongo_store.commands.output import console, print_json
from zoho_mongo_store.commands.selection import Selection

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def list_(
    context: "CommandContext",
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only the token of this user.", callback=as_text),
    ] = None,
    expired: Annotated[
        bool, typer.Option("--expired", help="Only tokens whose access token has expired.")
    ] = False,
    expiring_in: Annotated[
        timedelta | None,
        typer.Option(
            parser=parse_duration,
            metavar=METAVAR,
            help="Only tokens whose access token has expired, or expires within this time: 10m.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the stored tokens: whose they are, which state they are in, and when they were saved.

    A token is valid, expired (the next use refreshes it), refreshing (a process is asking Zoho for
    a new access token), cooling down (Zoho refused or could not be reached, and no process asks
    again yet), or has no access token yet. No secret is shown.
    """
    from zoho_mongo_store.commands.inventory import Inventory
    from zoho_mongo_store.commands.token_table import count_tokens, token_table

    inventory = Inventory(context.repository())
    if user is None:
        tokens = list(inventory.all())
    else:
        selected = Selection.of(None, user)
        found = inventory.find(selected.filter)
        if found is None:
            raise selected.not_found()
        tokens = [found[0]]
    now = inventory.clock()
    if expired:
        tokens = [one for one in tokens if one.expires_within(timedelta(0), now)]
    if expiring_in is not None:
        tokens = [one for one in tokens if one.expires_within(expiring_in, now)]
    tokens.sort(key=attrgetter("sort_key"))
    if json:
        print_json([one.as_json(now) for one in tokens])
    else:
        console().print(token_table(tokens, now))
        console().print(count_tokens(len(tokens)))
