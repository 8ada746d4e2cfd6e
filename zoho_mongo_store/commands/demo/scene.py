"""A scene of the demo: processes act, the screen shows it, and each statement is checked."""

from typing import Any, NamedTuple

from zoho_mongo_store.commands.demo.process import Reply
from zoho_mongo_store.commands.demo.screen import Screen, store_event, zoho_event
from zoho_mongo_store.commands.demo.stage import DemoError, Process, Stage
from zoho_mongo_store.model.document import Document


class User(NamedTuple):
    """A Zoho user in her own organization."""

    email: str
    org: str

    @property
    def name(self) -> str:
        """The user's name in the SDK."""
        return f"{self.email}:{self.org}"


class Cue(NamedTuple):
    """An action for a process: a method of ``process.Application``."""

    process: Process
    name: str
    arguments: dict[str, Any]


class Scene:
    """A stage, and the screen that shows what happens on it."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self.stage = stage
        self.screen = screen

    def act(self, process: Process, action: str, **arguments: Any) -> Reply:
        """Make one process do something, and show what happened."""
        return self.act_together([Cue(process, action, arguments)])[0]

    def act_together(self, cues: list[Cue]) -> list[Reply]:
        """Make processes do something at the same time, and show what happened."""
        self.stage.zoho.clear()
        for process, name, arguments in cues:
            process.send(name, **arguments)
        answers = [cue.process.receive() for cue in cues]
        events = [store_event(call) for answer in answers for call in answer.calls]
        ahead = self.stage.hours_passed
        events += [zoho_event(request, ahead) for request in self.stage.zoho.requests()]
        self.screen.events([cue.process.pid for cue in cues], events)
        return answers

    def document(self, user: User) -> Document:
        """Return the one stored document of this user."""
        found = [one for one in self.stage.documents() if one.get("user_name") == user.name]
        if len(found) != 1:
            raise DemoError(f"{len(found)} documents are stored for {user.name}, not one")
        return found[0]

    def check(self, statement: str, holds: bool) -> None:
        """Show the statement if it is true; otherwise raise ``DemoError``."""
        if not holds:
            raise DemoError(f"this is not true: {statement}")
        self.screen.verified(statement)

    def check_requests(self, statement: str, **counts: int) -> None:
        """Check that exactly these requests went to Zoho in this act, by kind."""
        kinds = [request.kind for request in self.stage.zoho.requests() if request.status == "ok"]
        expected = sorted(kind for kind, count in counts.items() for _ in range(count))
        all_ok = len(kinds) == len(self.stage.zoho.requests())
        self.check(statement, all_ok and sorted(kinds) == expected)
