"""``zoho-mongo-store list`` and ``show``."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoho_mongo_store.commands.connecting import connected
from zoho_mongo_store.commands.durations import METAVAR, parse_duration
from zoho_mongo_store.commands.output import JsonOption, console, print_json, shown_date, table
from zoho_mongo_store.commands.reporting import CommandError

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_FIRST_FIELDS = ("id", "user_name")
_OWN_ID = "_id"


@connected
def list_(
    context: "CommandContext",
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only the token of this user.")
    ] = None,
    expired: Annotated[
        bool, typer.Option("--expired", help="Only those whose access token has expired.")
    ] = False,
    expiring_in: Annotated[
        timedelta | None,
        typer.Option(
            parser=parse_duration,
            metavar=METAVAR,
            help="Only those whose access token expires within so long, or has: 10m.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the stored tokens: whose they are, and in which state.

    A token is valid, expired (the next use refreshes it), refreshing (somebody is asking Zoho for a
    new one), cooling down (Zoho refused or could not be reached; nobody asks for a while), or has
    no access token yet. It is shown when it was last saved. No secret is shown.
    """
    from zoho_mongo_store.commands.inventory import Inventory
    from zoho_mongo_store.commands.items import counted, item_table

    with context.open() as tokens:
        inventory = Inventory(tokens)
        if user is None:
            items = list(inventory.all())
        else:
            found = inventory.find({"user_name": user})
            items = [] if found is None else [found[0]]
        now = inventory.clock()
    if expired:
        items = [one for one in items if one.expires_within(timedelta(0), now)]
    if expiring_in is not None:
        items = [one for one in items if one.expires_within(expiring_in, now)]
    items.sort(key=lambda one: (one.user is None, one.user or "", one.id))
    if json:
        print_json([one.as_json(now) for one in items])
    else:
        console().print(item_table(items, now))
        console().print(counted(len(items)))


@connected
def show(
    context: "CommandContext",
    id: Annotated[str, typer.Argument(metavar="ID", help="The token's id, as list shows it.")],
    json: JsonOption = False,
) -> None:
    """Show one stored token: its fields, its state and its last failure.

    Of a secret it is said only that it is there.
    """
    from zoho_mongo_store.commands.inventory import Inventory

    with context.open() as tokens:
        inventory = Inventory(tokens)
        found = inventory.find({"id": id})
        now = inventory.clock()
    if found is None:
        raise CommandError(f"no token has the id {id}")
    item, document = found
    fields = _shown_fields(document)
    failure = item.lease.failure if item.lease is not None else None
    if json:
        about = {"state": item.state.value, "retry_after": item.retry_after}
        last = None if failure is None else {"code": failure.code, "message": failure.message}
        print_json({**fields, **about, "data_centre": item.data_centre, "last_failure": last})
        return
    rows = [
        (name, shown_date(value) if isinstance(value, datetime) else str(value))
        for name, value in fields.items()
    ]
    rows += [("state", item.described(now)), ("data centre", item.data_centre or "")]
    if failure is not None:
        rows.append(("last failure", f"{failure.code}: {failure.message}"))
    console().print(table(("field", "value"), rows))


def _shown_fields(document: Mapping[str, Any]) -> dict[str, object]:
    """What identifies the document first; of a secret that it is there."""
    from zoho_mongo_store.model.document import SECRET_FIELDS

    names = [*_FIRST_FIELDS, *sorted(set(document) - {*_FIRST_FIELDS, _OWN_ID})]
    shown: dict[str, object] = {}
    for name in names:
        if name in document:
            value = document[name]
            known = isinstance(value, str | datetime) and name not in SECRET_FIELDS
            shown[name] = value if known else "(stored)"
    return shown
