"""``watch`` on a terminal: failing tokens, then the most recently saved ones, on one screen."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import TracebackType
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.text import Text

from zoho_mongo_store.commands.inventory import Inventory
from zoho_mongo_store.commands.output import format_count, format_date, printable
from zoho_mongo_store.commands.token_state import TokenState
from zoho_mongo_store.commands.token_summary import TokenSummary
from zoho_mongo_store.commands.token_table import failing_lines, token_lines
from zoho_mongo_store.commands.watcher import Reading

_PER_SECOND = 2
# At least this many lines are left for the newest tokens: a gap, the heading and some tokens.
_LEFT_FOR_NEWEST = 6
_COUNTED = (
    TokenState.LOGIN_REQUIRED,
    TokenState.AT_LIMIT,
    TokenState.COOLING_DOWN,
)


class Silence(NamedTuple):
    """MongoDB does not answer.

    Attributes:
        began_at: Since when, by ``time.monotonic``.
        reason: What failed.
    """

    began_at: float
    reason: str


class WatchScreen:
    """A live screen that is never taller than the terminal. Use it as a context manager."""

    def __init__(self, console: Console) -> None:
        """Prepare it.

        Args:
            console: The terminal.
        """
        self._console = console
        self._shown: tuple[Reading, float] | None = None
        self._silence: Silence | None = None
        self._live = Live(self, console=console, refresh_per_second=_PER_SECOND)

    def __enter__(self) -> "WatchScreen":
        """Start drawing."""
        self._live.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Draw the screen one last time, and leave it on the terminal."""
        self._live.stop()

    def show(self, reading: Reading, _: Inventory) -> None:
        """Show a reading."""
        self._silence = None
        self._shown = reading, time.monotonic()
        self._live.refresh()

    def silent(self, seconds: float, reason: str) -> None:
        """Show that MongoDB has not answered for this long."""
        if self._silence is None:
            self._silence = Silence(time.monotonic() - seconds, reason)

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        if self._shown is not None:
            reading, read_at = self._shown
            now = reading.now + timedelta(seconds=time.monotonic() - read_at)
            # One line is left for the cursor.
            yield from self._lines(reading, now, options.max_width, self._console.height - 1)

    def _lines(
        self, reading: Reading, now: datetime, width: int, height: int
    ) -> Iterator[RenderableType]:
        """Yield the parts of the screen, at most ``height`` lines."""
        yield _on_one_line(Text(_totals(reading), style="bold"))
        left = height - 2
        if reading.failing:
            room = (left - 2 - min(_LEFT_FOR_NEWEST, 2 + len(reading.newest))) // 2
            failing = _first(reading.failing, max(1, room))
            more = len(reading.failing) - len(failing)
            lines = [Text(), Text("failing", style="bold"), *failing_lines(failing, now, width)]
            if more:
                lines.append(Text(f"... and {more:,} more", style="red"))
            yield from (_on_one_line(line) for line in lines)
            left -= len(lines)
        newest = [one for one in reading.newest if not one.state.is_failing][: max(0, left - 2)]
        if newest:
            yield Text()
            yield token_lines(newest, now, width, "saved last")
        status = f"{format_date(now)} UTC, {reading.source}, Ctrl-C ends"
        silence = self._silence
        if silence is None:
            yield _on_one_line(Text(status, style="dim"))
        else:
            seconds = time.monotonic() - silence.began_at
            text = f"MongoDB silent since {seconds:.0f} s: {printable(silence.reason)}"
            yield _on_one_line(Text(text, style="bold red"))


def _totals(reading: Reading) -> str:
    """Sum up the whole collection."""
    failing = Counter(one.state for one in reading.failing)
    counts = {state.value: failing[state] for state in _COUNTED} | {
        TokenState.REFRESHING.value: reading.refreshing
    }
    counted = [f"{number:,} {words}" for words, number in counts.items() if number]
    return f"{format_count(reading.number, 'token')}: {', '.join(counted) or 'none fails'}"


def _first(tokens: list[TokenSummary], room: int) -> list[TokenSummary]:
    """Return as many as fit, leaving a line that says how many more there are."""
    return tokens if len(tokens) <= room else tokens[: max(1, room - 1)]


def _on_one_line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
