"""What the demo shows: each step with its events, the stored documents, the indexes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, NamedTuple

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from zoho_mongo_store.commands.demo.process import StoreCall, short
from zoho_mongo_store.model.document import SECRET_FIELDS, Document, now
from zoho_mongo_store.testing.zoho.protocol import Kind, Request

WIDEST = 100

Where = Literal["store", "Zoho"]

_STYLES: dict[Where, str] = {"store": "green", "Zoho": "magenta"}
_REQUESTS: dict[Kind, tuple[str, str]] = {
    "grant": ("POST /oauth/v2/token", "exchange the grant token"),
    "refresh": ("POST /oauth/v2/token", "refresh"),
    "revoke": ("POST .../token/revoke", "revoke the refresh token"),
    "users": ("GET /users", "the current user"),
    "org": ("GET /org", "the organization"),
}
_IDENTIFYING = ("_id", "id", "user_name")
_SDK_LINES = (8, 7, 6, 5)


class ShownEvent(NamedTuple):
    """Something that happened, on this machine's clock."""

    time: float
    where: Where
    what: str
    about: str
    outcome: str


def store_event(call: StoreCall) -> ShownEvent:
    """Create the event for a call of the SDK to the store."""
    return ShownEvent(call.time, "store", call.method, call.argument, call.outcome)


def zoho_event(request: Request, hours_ahead: float) -> ShownEvent:
    """Create the event for a request to Zoho, whose clock is this many hours ahead."""
    what, about = _REQUESTS[request.kind]
    return ShownEvent(request.time - hours_ahead * 3600, "Zoho", what, about, request.status)


def masked(field: str, value: object) -> str:
    """Return a field's value as it may be shown: for a secret only Zoho's prefix, ``1000``."""
    if field in SECRET_FIELDS:
        prefix, dot, _ = str(value).partition(".")
        return f"{prefix}.****" if dot else "****"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return str(value)


def sdk_name() -> str:
    """Return the installed SDK with its version."""
    for line in _SDK_LINES:
        try:
            return f"zohocrmsdk{line}_0 {version(f'zohocrmsdk{line}_0')}"
        except PackageNotFoundError:
            continue
    return "zohocrmsdk"


def _document_order(item: tuple[str, object]) -> tuple[bool, str]:
    """Sort the fields that identify a document first."""
    field, _ = item
    return field not in _IDENTIFYING, field


class Screen:
    """Writes to standard output, with colours only on a terminal, at most 100 columns wide."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False)
        self._console.width = min(self._console.width, WIDEST)
        self._steps = 0

    def opening(self, mongodb: str, zoho: str) -> None:
        """Show what takes part."""
        table = Table.grid(padding=(0, 2))
        for name, what in (("SDK", sdk_name()), ("MongoDB", mongodb), ("Zoho", zoho)):
            table.add_row(name, what)
        self._console.print(Panel(table, title="zoho-mongo-store demo", title_align="left"))

    def step(self, title: str, explanation: str) -> None:
        """Show the heading of a step."""
        self._steps += 1
        self._console.print()
        self._console.rule(f"{self._steps}. {title}", align="left", style="cyan")
        self._console.print(explanation)

    def events(self, pids: Sequence[int | None], events: Iterable[ShownEvent]) -> None:
        """Show what happened, in order of time. The same event in several processes is one line."""
        in_order = sorted(events, key=lambda event: event.time)
        times = Counter((one.where, one.what, one.about, one.outcome) for one in in_order)
        together = len(pids) > 1
        table = Table(box=box.ROUNDED)
        for name in ("where", "what", "about", "outcome", *(["times"] if together else [])):
            table.add_column(name, overflow="fold")
        for (where, *cells), count in times.items():
            counted = [str(count)] if together else []
            table.add_row(where, *cells, *counted, style=_STYLES[where])
        names = ", ".join(str(pid) for pid in pids)
        self._show(f"What process{'es' if together else ''} {names} did", table)

    def document(self, document: Mapping[str, Any]) -> None:
        """Show a stored document with its secrets masked."""
        table = Table(box=box.ROUNDED)
        table.add_column("field")
        table.add_column("value", overflow="fold")
        for field, value in sorted(document.items(), key=_document_order):
            table.add_row(field, masked(field, value))
        self._show("The stored document", table)

    def indexes(self, indexes: Mapping[str, Mapping[str, Any]]) -> None:
        """Show the indexes of the collection."""
        table = Table(box=box.ROUNDED)
        for name in ("index", "unique", "partial"):
            table.add_column(name)
        for name, index in indexes.items():
            unique = name == "_id_" or index.get("unique")
            table.add_row(
                name, "yes" if unique else "", "yes" if "partialFilterExpression" in index else ""
            )
        self._show("Its indexes", table)

    def users(self, documents: Iterable[Document]) -> None:
        """Show whose tokens are stored."""
        table = Table(box=box.ROUNDED)
        for name in ("id", "user", "refresh token", "access token"):
            table.add_column(name, overflow="fold")
        for document in documents:
            minutes = round((document["expiry_time"] - now()).total_seconds() / 60)
            table.add_row(
                short(document["id"]),
                document["user_name"],
                masked("refresh_token", document["refresh_token"]),
                f"valid for {minutes} min" if minutes > 0 else "expired",
            )
        self._show("The stored tokens", table)

    def verified(self, statement: str) -> None:
        """Show a statement that was checked and is true."""
        self._console.print(f"  ok  {statement}", style="bold")

    def closing(self, seconds: float) -> None:
        """Show the end, once everything has been cleaned up."""
        self._console.print()
        self._console.print(
            f"All {self._steps} steps did what they say ({seconds:.0f} s). Nothing is left behind.",
            style="bold green",
        )

    def _show(self, title: str, table: Table) -> None:
        self._console.print(title, style="italic")
        self._console.print(table)
