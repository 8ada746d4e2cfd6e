"""The table of stored tokens."""

from collections.abc import Iterable
from datetime import datetime

from rich.table import Table
from rich.text import Text

from zoho_mongo_store.commands.inventory import Item, State
from zoho_mongo_store.commands.output import shown_date, table
from zoho_mongo_store.commands.reporting import printable

_STYLES = {
    State.VALID: "green",
    State.EXPIRED: "yellow",
    State.REFRESHING: "cyan",
    State.COOLING_DOWN: "red",
    State.NO_ACCESS_TOKEN: "yellow",
    State.DAMAGED: "red",
}


def item_table(items: Iterable[Item], now: datetime, *, title: str | None = None) -> Table:
    """Whose the tokens are, and in which state; nothing secret."""
    columns = ("user", "id", "state", "data centre", "updated (UTC)")
    return table(columns, (_row(item, now) for item in items), title=title)


def counted(number: int) -> str:
    """``1 token``, ``2 tokens``."""
    return f"{number} token{'' if number == 1 else 's'}"


def _row(item: Item, now: datetime) -> tuple[str, str, Text, str, str]:
    state = Text(printable(item.described(now)), style=_STYLES[item.state])
    return (
        item.user or "",
        item.id,
        state,
        item.data_centre or "",
        shown_date(item.updated_at),
    )
