"""Shows stored tokens in a table that fits the terminal, or as lines in a pipe, without secrets."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from zoho_mongo_store.commands.output import console, format_count, print_lines, printable
from zoho_mongo_store.commands.token_state import TokenState
from zoho_mongo_store.commands.token_summary import TokenSummary

_STYLES = {
    TokenState.VALID: "green",
    TokenState.EXPIRED: "yellow",
    TokenState.REFRESHING: "cyan",
    TokenState.LOGIN_REQUIRED: "bold red",
    TokenState.COOLING_DOWN: "red",
    TokenState.AT_LIMIT: "red",
    TokenState.NO_ACCESS_TOKEN: "yellow",
    TokenState.DAMAGED: "red",
}
_GAP = 2
_SHORTEST_REASON = 30
# The heading, the line about what is left out, and the shell's next prompt.
_OTHER_LINES = 3

Cell = Callable[[TokenSummary, datetime], Text]


class _Column(NamedTuple):
    heading: str
    cell: Cell


def _minute(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _state(token: TokenSummary, now: datetime) -> Text:
    return Text(printable(token.describe_state(now)), style=_STYLES[token.state])


def _details(token: TokenSummary, now: datetime) -> Text:
    """Return, on several lines, what a wide screen shows in columns."""
    if token.reason:
        about = f"since {_why(token, ': ')}" if token.since else token.reason
    else:
        saved = f"saved {_minute(token.updated_at)}" if token.updated_at else ""
        about = ", ".join(part for part in (token.data_centre, saved) if part)
    return Text.assemble(_state(token, now), "\n", (printable(about), "dim"))


def _why(token: TokenSummary, separator: str) -> str:
    return separator.join(part for part in (_minute(token.since), token.reason) if part)


def _names(token: TokenSummary, _: datetime) -> Text:
    names = [name for name in (token.user, token.id) if name]
    return Text.assemble(printable(names[0] if names else ""), *_below(names[1:]))


def _stacked(token: TokenSummary, now: datetime) -> Text:
    return Text.assemble(_names(token, now), "\n", _details(token, now))


def _below(names: list[str]) -> Iterable[tuple[str, str]]:
    return (("\n" + printable(name), "dim") for name in names)


def _text(cell: Callable[[TokenSummary], str | None]) -> Cell:
    return lambda token, _: Text(printable(cell(token) or ""))


_USER = _Column("user", _text(lambda token: token.user))
_NAME = _Column("user or id", _text(lambda token: token.user or token.id))
_ID = _Column("id", _text(lambda token: token.id))
_STATE = _Column("state", _state)
_CENTRE = _Column("data centre", _text(lambda token: token.data_centre))
_SAVED = _Column("saved (UTC)", _text(lambda token: _minute(token.updated_at)))
_WHY = _Column("since (UTC), and why", _text(lambda token: _why(token, " ")))
_ORDER = [one.cell for one in (_USER, _NAME, _ID, _STATE, _CENTRE, _SAVED, _WHY)]


def print_tokens(
    tokens: Sequence[TokenSummary],
    now: datetime,
    *,
    limit: int | None = None,
    idle: bool = False,
) -> None:
    """Write the tokens with their users and states.

    In a pipe, each token is one line with these columns, separated by tabs: user, id, state, until
    when, data centre, when it was saved, since when it has been failing, and why.

    Args:
        tokens: The tokens to write.
        now: The server's time, from which remaining times are counted.
        limit: How many to write; 0: all. ``None``: as many as fit on the screen; all in a pipe.
        idle: Whether to show when tokens were saved rather than their states, and not to count
            them, because what follows does.
    """
    screen = console()
    if not screen.is_terminal:
        print_lines(token_cells(token) for token in tokens[: limit or None])
        return
    if limit is None:
        height = screen.height - _OTHER_LINES
        limit = _number_that_fits(tokens, now, screen.width, height, idle=idle)
    shown = tokens[: limit or None]
    if shown:
        screen.print(token_table(shown, now, screen.width, idle=idle))
    left = len(tokens) - len(shown)
    if left:
        screen.print(f"... and {left:,} more", style="dim")
    elif not idle:
        screen.print(format_count(len(tokens), "token"), style="dim")


def token_table(
    tokens: Sequence[TokenSummary], now: datetime, width: int, *, idle: bool = False
) -> Table:
    """Draw the tokens so that users and ids are broken only if nothing else can give way.

    Args:
        tokens: One for each row, which has several lines if the screen is narrow.
        now: The server's time.
        width: The width of the screen.
        idle: Whether to show when tokens were saved rather than their states.
    """
    columns = [_USER, _ID, _SAVED if idle else _STATE]
    # The reason for a failure is never left out.
    is_told = not idle and any(token.reason for token in tokens)
    if _width([*columns, _WHY] if is_told else columns, tokens, now) > width:
        columns = [_Column("user and id", _names), _Column("state", _details)]
        if _width(columns[:1], tokens, now) + _GAP + _SHORTEST_REASON > width:
            columns = [_Column("user, id and state", _stacked)]
        return _draw(columns, tokens, now)
    others = (_WHY, _STATE if idle else _SAVED, _CENTRE)
    return _with_what_fits(columns, others, tokens, now, width)


def token_lines(tokens: Sequence[TokenSummary], now: datetime, width: int, heading: str) -> Table:
    """Draw each token on one line. If there is a user, the id can be left out too.

    Args:
        tokens: One for each row.
        now: The server's time.
        width: The width of the screen.
        heading: The heading of the user's column.
    """
    columns = [_NAME._replace(heading=heading), _STATE]
    table = _with_what_fits(columns, (_ID, _SAVED, _CENTRE), tokens, now, width)
    for column in table.columns:
        column.no_wrap, column.overflow = True, "ellipsis"
    return table


def failing_lines(tokens: Sequence[TokenSummary], now: datetime, width: int) -> Iterator[Text]:
    """Draw each failing token on two lines: its user and state, then since when and why.

    A user's name that leaves no room for the state is cut.
    """
    room = width - _GAP - _width([_STATE], tokens, now)
    widest = min(room, max(cell_len(_NAME.cell(one, now).plain) for one in tokens))
    for token in tokens:
        name = _NAME.cell(token, now)
        name.truncate(widest, overflow="ellipsis")
        name.pad_right(widest - cell_len(name.plain) + _GAP)
        yield name.append_text(_state(token, now))
        yield Text(f"  since {printable(_why(token, ': '))}", style="dim")


def token_cells(token: TokenSummary) -> tuple[str, ...]:
    """Return the columns of a token's line in a pipe; see ``print_tokens``."""
    until = token.retry_after or token.expires_at
    moments = [
        "" if one is None else one.isoformat(timespec="seconds")
        for one in (until, token.updated_at, token.since)
    ]
    return (
        token.user or "",
        token.id,
        token.state.value,
        moments[0],
        token.data_centre or "",
        *moments[1:],
        token.reason,
    )


def _number_that_fits(
    tokens: Sequence[TokenSummary], now: datetime, width: int, height: int, *, idle: bool
) -> int:
    """Return how many tokens fit on a screen, at least one."""
    first = tokens[: max(1, height)]
    heights = accumulate(_heights(token_table(first, now, width, idle=idle), width))
    return max(1, sum(lines <= height for lines in heights))


def _heights(table: Table, width: int) -> Iterator[int]:
    """Yield the height of each row. The last column is wrapped; every cell is a ``Text``."""
    taken = sum(
        _GAP + max(cell_len(line) for one in (column.header, *column.cells) for line in _lines(one))
        for column in table.columns[:-1]
    )
    room = max(1, width - taken)
    for *firsts, wrapped in zip(*(column.cells for column in table.columns), strict=True):
        if isinstance(wrapped, Text):
            yield max([len(wrapped.wrap(console(), room)), *(len(_lines(one)) for one in firsts)])


def _lines(cell: object) -> list[str]:
    return str(cell).split("\n")


def _with_what_fits(
    columns: list[_Column],
    optional: Sequence[_Column],
    tokens: Sequence[TokenSummary],
    now: datetime,
    width: int,
) -> Table:
    """Draw these columns, and as many of the optional ones as fit, in their order."""
    for column in optional:
        if column is _WHY and not any(token.reason for token in tokens):
            continue
        needed = _SHORTEST_REASON if column is _WHY else _width([column], tokens, now)
        if _width(columns, tokens, now) + _GAP + needed <= width:
            columns = [*columns, column]
    columns.sort(key=lambda column: _ORDER.index(column.cell))
    return _draw(columns, tokens, now)


def _width(columns: Sequence[_Column], tokens: Sequence[TokenSummary], now: datetime) -> int:
    """Measure columns at their full width, except for the reasons, which can be wrapped."""
    widths = [
        _SHORTEST_REASON
        if column is _WHY
        else max(
            cell_len(line)
            for cell in (column.heading, *(column.cell(one, now) for one in tokens))
            for line in _lines(cell)
        )
        for column in columns
    ]
    return sum(widths) + _GAP * (len(widths) - 1)


def _draw(
    columns: Sequence[_Column],
    tokens: Iterable[TokenSummary],
    now: datetime,
) -> Table:
    made = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
    for column in columns:
        made.add_column(
            Text(column.heading, style="bold"),
            no_wrap=column is not columns[-1],
            overflow="fold",
        )
    for token in tokens:
        made.add_row(*(column.cell(token, now) for column in columns))
    return made
