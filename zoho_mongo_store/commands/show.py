"""``zoho-mongo-store show``."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.options import IdArgument, JsonOption, UserOption
from zoho_mongo_store.commands.output import format_date, print_json, print_table
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
    """Show one stored token: its fields, its state, and since when and why it is failing.

    Secrets are shown as (stored).
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
    about = {
        "state": token.state.value,
        "since": token.since,
        "reason": token.reason or None,
        "retry_after": token.retry_after,
        "data_centre": token.data_centre,
    }
    if json:
        print_json({**fields, **about})
        return
    shown = {**fields, **about, "state": token.describe_state(now)}
    rows = [
        (name, format_date(value) if isinstance(value, datetime) else str(value))
        for name, value in shown.items()
        if value is not None
    ]
    print_table(("field", "value"), rows)


def _visible_fields(document: Mapping[str, Any]) -> dict[str, object]:
    """Return the fields of a document, id and user first, with ``(stored)`` for each secret."""
    from zoho_mongo_store.model.document import SECRET_FIELDS
    from zoho_mongo_store.model.login_state import LOGIN_REQUIRED_FIELDS

    # The record that a login is over is shown as the state.
    left_out = {*_FIRST_FIELDS, *LOGIN_REQUIRED_FIELDS, _OWN_ID}
    names = [*_FIRST_FIELDS, *sorted(set(document) - left_out)]
    fields: dict[str, object] = {}
    for name in names:
        if name in document:
            value = document[name]
            is_visible = isinstance(value, str | datetime) and name not in SECRET_FIELDS
            fields[name] = value if is_visible else "(stored)"
    return fields
