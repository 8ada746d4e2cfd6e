"""``watch`` in a pipe: one line for each change."""

from zoho_mongo_store.commands.inventory import Inventory
from zoho_mongo_store.commands.output import print_json_line, print_lines, print_warning
from zoho_mongo_store.commands.token_summary import TokenSummary
from zoho_mongo_store.commands.token_table import token_cells
from zoho_mongo_store.commands.watcher import Reading

_GONE = "gone"


class WatchLines:
    """Writes what has changed since the last reading. It starts with the failing tokens."""

    def __init__(self, *, json: bool, rows: int) -> None:
        """Start with nothing known.

        Args:
            json: Whether to write JSON instead of the columns of ``list``.
            rows: How many of the most recently saved tokens are read.
        """
        self._json = json
        self._rows = rows
        self._known: dict[str, TokenSummary] | None = None
        self._last_newest: list[TokenSummary] = []
        self._silent_seconds: float | None = None

    def show(self, reading: Reading, inventory: Inventory) -> None:
        """Write what has changed."""
        if self._silent_seconds is not None:
            print_warning(f"MongoDB answers again after {self._silent_seconds:.0f} s")
            self._silent_seconds = None
        current = {one.id: one for one in (*reading.newest, *reading.failing)}
        if self._known is None:
            for token in reading.failing:
                self._write(reading, token)
        else:
            self._write_changes(reading, current, inventory)
        self._known = current
        self._last_newest = reading.newest

    def silent(self, seconds: float, reason: str) -> None:
        """Say once that MongoDB does not answer."""
        if self._silent_seconds is None:
            print_warning(f"MongoDB silent since {seconds:.0f} s: {reason}")
        self._silent_seconds = seconds

    def _write_changes(
        self, reading: Reading, current: dict[str, TokenSummary], inventory: Inventory
    ) -> None:
        known = self._known or {}
        for token in current.values():
            before = known.get(token.id)
            if before != token if before is not None else self._is_new(token):
                self._write(reading, token)
        left = {id: token for id, token in known.items() if id not in current}
        found = inventory.by_ids(left)
        for id, before in left.items():
            if id not in found:
                self._write_gone(reading, before)
            elif found[id] != before:
                self._write(reading, found[id])

    def _is_new(self, token: TokenSummary) -> bool:
        """Whether a token appears because it was saved, and not because another was deleted."""
        moments = [one.updated_at for one in self._last_newest if one.updated_at is not None]
        is_full = len(self._last_newest) >= self._rows
        if token.state.is_failing or not is_full or not moments or token.updated_at is None:
            return True
        return token.updated_at > min(moments)

    def _write(self, reading: Reading, token: TokenSummary) -> None:
        if self._json:
            print_json_line({"time": reading.now, **token.as_json(reading.now)})
        else:
            print_lines([(_moment(reading), *token_cells(token))])

    def _write_gone(self, reading: Reading, token: TokenSummary) -> None:
        if self._json:
            line = {"time": reading.now, "id": token.id, "user": token.user, "state": _GONE}
            print_json_line(line)
        else:
            print_lines([(_moment(reading), token.user or "", token.id, _GONE)])


def _moment(reading: Reading) -> str:
    return reading.now.isoformat(timespec="seconds")
