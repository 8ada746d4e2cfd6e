"""What MongoDB did for each command of every client: its profiler says with which plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.sent_commands import Client

_PROFILE = "system.profile"
_PROFILE_BYTES = 2**24
# Neither of these looks for a document.
_WITHOUT_A_PLAN = {"insert", "listIndexes", "createIndexes", "explain"}


class Execution(NamedTuple):
    """One command that MongoDB carried out."""

    collection: str
    command: str
    plan: str
    """MongoDB's summary, such as ``IXSCAN { id: 1 }``; empty where nothing is looked for."""
    examined: int
    """Documents that were read."""
    sorts: bool
    """Whether it sorts in memory, for want of an index in that order."""

    @property
    def scans(self) -> bool:
        """Whether every document of the collection is looked at."""
        return "COLLSCAN" in self.plan


@contextmanager
def profiled(client: Client, name: str) -> Iterator[list[Execution]]:
    """All commands on the collections of a database, by any client of any process, in the block."""
    database = client[name]
    database.drop_collection(_PROFILE)
    database.create_collection(_PROFILE, capped=True, size=_PROFILE_BYTES)
    executions: list[Execution] = []
    database.command("profile", 2)
    try:
        yield executions
    finally:
        database.command("profile", 0)
    for entry in database[_PROFILE].find():
        collection = entry["ns"].removeprefix(f"{name}.")
        if not collection.startswith(("system.", "$cmd")):
            executions.append(_execution(collection, entry))


def _execution(collection: str, entry: dict[str, Any]) -> Execution:
    command = entry["op"] if entry["op"] != "command" else next(iter(entry["command"]))
    plan = entry.get("planSummary", "")
    assert plan or command in _WITHOUT_A_PLAN, f"{command} on {collection}: no plan"
    return Execution(
        collection, command, plan, entry.get("docsExamined", 0), entry.get("hasSortStage", False)
    )
