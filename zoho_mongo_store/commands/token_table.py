"""The table of stored tokens."""

from collections.abc import Iterable
from datetime import datetime

from rich.table import Table
from rich.text import Text

from zoho_mongo_store.commands.output import format_date, printable, table
from zoho_mongo_store.commands.token_summary import TokenState, TokenSummary

_STYLES = {
    TokenState.VALID: "green",
    TokenState.EXPIRED: "yellow",
    TokenState.REFRESHING: "cyan",
    TokenState.COOLING_DOWN: "red",
    TokenState.NO_ACCESS_TOKEN: "yellow",
    TokenState.DAMAGED: "red",
}


def token_table(
    tokens: Iterable[TokenSummary], now: datetime, *, title: str | None = None
) -> Table:
    """Draw whose the tokens are and which state they are in. Nothing is secret.

    Args:
        tokens: One summary for each row.
        now: The server's time, from which remaining times are counted.
        title: A line above the table. Default: no line.

    Returns:
        The table, for ``console().print``.
    """
    columns = ("user", "id", "state", "data centre", "updated (UTC)")
    return table(columns, (_row(token, now) for token in tokens), title=title)


def count_tokens(number: int) -> str:
    """Format a number of tokens: ``1 token``, ``2 tokens``."""
    return f"{number} token{'' if number == 1 else 's'}"


def _row(token: TokenSummary, now: datetime) -> tuple[str, str, Text, str, str]:
    state = Text(printable(token.describe_state(now)), style=_STYLES[token.state])
    return (
        token.user or "",
        token.id,
        state,
        token.data_centre or "",
        format_date(token.updated_at),
    )
