"""``zoho-mongo-store show``."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.options import IdArgument, JsonOption, UserOption
from zoho_mongo_store.commands.output import console, format_date, print_json, table
from zoho_mongo_store.commands.selection import Selection

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_FIRST_FIELDS = ("id", "user_name")
_OWN_ID = "_id"


@connected
def show(
    context: "CommandContext",
    id: IdArgument = None,
    user: UserOption = None,
    json: JsonOption = False,
) -> None:
    """Show one stored token: its fields, its state and its last failure.

    A secret is shown as (stored).
    """
    from zoho_mongo_store.commands.inventory import Inventory

    selected = Selection.of(id, user)
    inventory = Inventory(context.repository())
    found = inventory.find(selected.filter)
    now = inventory.clock()
    if found is None:
        raise selected.not_found()
    token, document = found
    fields = _visible_fields(document)
    failure = token.lease.failure if token.lease is not None else None
    if json:
        about = {"state": token.state.value, "retry_after": token.retry_after}
        last = None if failure is None else {"code": failure.code, "message": failure.message}
        print_json({**fields, **about, "data_centre": token.data_centre, "last_failure": last})
        return
    rows = [
        (name, format_date(value) if isinstance(value, datetime) else str(value))
        for name, value in fields.items()
    ]
    rows += [("state", token.describe_state(now)), ("data centre", token.data_centre or "")]
    if failure is not None:
        rows.append(("last failure", f"{failure.code}: {failure.message}"))
    console().print(table(("field", "value"), rows))


def _visible_fields(document: Mapping[str, Any]) -> dict[str, object]:
    """Return the fields of a document, its names first, with ``(stored)`` for each secret."""
    from zoho_mongo_store.model.document import SECRET_FIELDS

    names = [*_FIRST_FIELDS, *sorted(set(document) - {*_FIRST_FIELDS, _OWN_ID})]
    fields: dict[str, object] = {}
    for name in names:
        if name in document:
            value = document[name]
            is_visible = isinstance(value, str | datetime) and name not in SECRET_FIELDS
            fields[name] = value if is_visible else "(stored)"
    return fields
