"""``zoho-mongo-store list``."""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.options import JsonOption, as_text
from zoho_mongo_store.commands.output import print_json
from zoho_mongo_store.commands.selection import Selection

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext
    from zoho_mongo_store.commands.inventory import Inventory
    from zoho_mongo_store.commands.token_summary import TokenSummary


class Order(StrEnum):
    """The values of ``--sort``."""

    USER = "user"
    STATE = "state"
    EXPIRY = "expiry"
    SAVED = "saved"


@connected
def list_(
    context: "CommandContext",
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only the token of this user.", callback=as_text),
    ] = None,
    failed: Annotated[
        bool,
        typer.Option(
            "--failed",
            help="Only tokens for which Zoho issues no access token: login required, cooling down "
            "or at Zoho's limit.",
        ),
    ] = False,
    login_required: Annotated[
        bool,
        typer.Option("--login-required", help="Only tokens whose users have to log in again."),
    ] = False,
    expired: Annotated[
        bool, typer.Option("--expired", help="Only tokens whose access token has expired.")
    ] = False,
    expiring_in: Annotated[
        timedelta | None,
        typer.Option(
            parser=parse_duration,
            metavar=METAVAR,
            help="Only tokens whose access token has expired or expires within this time, such as "
            "10m.",
        ),
    ] = None,
    sort: Annotated[
        Order,
        typer.Option(
            metavar="ORDER",
            help="user; state: failing tokens first; expiry: next to expire first; or saved: most "
            "recently saved first.",
        ),
    ] = Order.USER,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            min=0,
            help="How many tokens to write; 0: all. Default: as many as fit on the screen; all in "
            "a pipe or with --json.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the stored tokens with their users, their states, and when they were saved.

    A token is valid, expired (the next use refreshes it), refreshing (a process is asking Zoho for
    a new access token), cooling down (Zoho refused or could not be reached, and no process asks
    again yet), at Zoho's limit of 10 requests in 10 minutes, login required (Zoho no longer accepts
    its refresh token), without an access token yet, or damaged. No secret is shown.

    In a pipe each token is one line with these columns, separated by tabs: user, id, state, until
    when (the expiry, or when Zoho is asked again), data centre, when it was saved, since when it
    has been failing, and why.
    """
    from zoho_mongo_store.commands.inventory import Inventory
    from zoho_mongo_store.commands.token_table import print_tokens

    inventory = Inventory(context.repository())
    tokens = _read(inventory, user, failed=failed, login_required=login_required)
    now = inventory.clock()
    if expired:
        tokens = [one for one in tokens if one.expires_within(timedelta(0), now)]
    if expiring_in is not None:
        tokens = [one for one in tokens if one.expires_within(expiring_in, now)]
    tokens.sort(key=attrgetter("sort_key"))
    if sort is not Order.USER:
        tokens.sort(key=_SORT_KEYS[sort])
    if json:
        print_json([one.as_json(now) for one in tokens[: limit or None]])
    else:
        print_tokens(tokens, now, limit=limit)


def _read(
    inventory: "Inventory", user: str | None, *, failed: bool, login_required: bool
) -> list["TokenSummary"]:
    """Read the tokens, with an index if one finds them."""
    from zoho_mongo_store.commands.token_state import TokenState

    if user is None:
        if login_required:
            return list(inventory.login_required())
        return list(inventory.failing() if failed else inventory.all())
    selected = Selection.of(None, user)
    found = inventory.find(selected.filter)
    if found is None:
        raise selected.not_found()
    state = found[0].state
    if login_required and state is not TokenState.LOGIN_REQUIRED:
        return []
    return [found[0]] if state.is_failing or not failed else []


_SORT_KEYS: dict[Order, Callable[["TokenSummary"], Any]] = {
    Order.STATE: lambda token: token.state.rank,
    Order.EXPIRY: lambda token: (token.expires_at is None, token.expires_at),
    Order.SAVED: lambda token: -token.updated_at.timestamp() if token.updated_at else 0,
}
