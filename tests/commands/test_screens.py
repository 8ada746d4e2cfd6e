"""What a terminal shows, of its size: whole names and ids, and never more lines than it has."""

import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest
from pymongo.collection import Collection

from tests.commands.conftest import CommandLine
from tests.commands.running import COMMAND, TIMEOUT
from tests.commands.states import cool_down, end_login, reach_limit
from tests.engines import SERVERS
from tests.tokens import CLIENT
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo

Tokens = Collection[dict[str, Any]]

on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)
NUMBER = 300
DEAD = 30
SIZES = [(80, 24), (140, 40)]


class Terminal:
    """A command on a terminal of this size, and its screen."""

    def __init__(
        self, columns: int, lines: int, folder: Path, variables: dict[str, str], *arguments: str
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        sized = ("COLUMNS", "LINES", "FORCE_COLOR", "TTY_COMPATIBLE")
        inherited = {name: value for name, value in os.environ.items() if name not in sized}
        self.process = pexpect.spawn(
            str(COMMAND),
            list(arguments),
            dimensions=(lines, columns),
            cwd=str(folder),
            env={**inherited, **variables, "TERM": "xterm-256color"},
            timeout=TIMEOUT,
        )

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def wait_for(self, pattern: str) -> str:
        """What the screen shows once it shows this."""
        deadline = time.monotonic() + TIMEOUT
        while not re.search(pattern, self.text, re.DOTALL):
            assert time.monotonic() < deadline, self.text
            try:
                self._stream.feed(self.process.read_nonblocking(65536, timeout=1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
        assert re.search(pattern, self.text, re.DOTALL), self.text
        return self.text

    def finish(self) -> int:
        """Read what is left, and return the status."""
        while True:
            try:
                self._stream.feed(self.process.read_nonblocking(65536, timeout=TIMEOUT))
            except pexpect.EOF:
                break
        self.process.close()
        status: int = self.process.exitstatus
        return status


Opened = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Opened]:
    """Runs a command on a terminal, and ends it."""
    opened: list[Terminal] = []

    def make(size: tuple[int, int], variables: dict[str, str], *arguments: str) -> Terminal:
        opened.append(Terminal(*size, tmp_path, variables, *arguments))
        return opened[-1]

    yield make
    for one in opened:
        one.process.close(force=True)


def user(number: int) -> str:
    return f"katherine.johnson{number:03}@example.com:20078{number:06}"


@pytest.fixture
def many(own_store: MongoTokenStore, tokens: Tokens) -> None:
    """More tokens than a screen takes, of which 33 fail."""
    own_store.ensure_indexes()
    tokens.insert_many(
        {
            "id": f"{number:032x}",
            "user_name": user(number),
            "access_token": f"A-secret {number}",
            "refresh_token": f"R-secret {number}",
            "api_domain": "https://www.zohoapis.eu",
            "updated_at": datetime.now(UTC) - timedelta(minutes=NUMBER - number),
            **CLIENT,
        }
        for number in range(NUMBER)
    )
    for number in range(DEAD):
        end_login(tokens, user(number))
    cool_down(tokens, user(50), "no answer")
    cool_down(tokens, user(51), "no answer")
    reach_limit(tokens, user(52))


@on_servers
@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("options", [[], ["--failed"], ["--sort", "state"]])
def test_a_list_takes_one_screen(
    cli: CommandLine, terminal: Opened, size: tuple[int, int], options: list[str]
) -> None:
    listed = terminal(size, cli.variables, "list", *options)
    assert listed.finish() == 0

    columns, height = size
    users = re.findall(r"katherine\.johnson\d{3}@example\.com:20078\d{6}\b", listed.text)
    ids = re.findall(r"\b0[0-9a-f]{31}\b", listed.text)
    assert len(users) == len(ids) >= 4
    assert len(listed.lines) <= height - 1
    assert all(len(line) <= columns for line in listed.lines)
    total = DEAD + 3 if options == ["--failed"] else NUMBER
    assert listed.lines[0].startswith("user")
    assert listed.lines[-1] == f"... and {total - len(users):,} more"
    assert "secret" not in listed.text
    if options:
        assert re.search(r"since.*\d{4}-\d\d-\d\d \d\d:\d\d", listed.text, re.DOTALL)
        assert re.search(r"invalid_code:\s", listed.text)


@on_servers
@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("size", SIZES)
def test_watch_shows_what_fails_first_and_its_last_line_always(
    cli: CommandLine, terminal: Opened, tokens: Tokens, size: tuple[int, int]
) -> None:
    watch = terminal(size, cli.variables, "watch")
    watch.wait_for(r"Ctrl-C ends\Z")

    first, *_, last = watch.lines
    assert first == "300 tokens: 30 login required, 1 at Zoho's limit, 2 cooling down"
    assert last.endswith("Ctrl-C ends")
    assert watch.text.index("failing") < watch.text.index("saved last")
    assert watch.lines[3].startswith(user(0))
    assert re.match(r"  since \d{4}-\d\d-\d\d \d\d:\d\d: invalid_code: ", watch.lines[4])
    assert len(watch.lines) <= size[1]
    shown = sum(line.startswith("  since") for line in watch.lines)
    assert f"... and {DEAD + 3 - shown} more" in watch.lines
    assert "secret" not in watch.text

    tokens.update_many({}, {"$unset": {"login_required_for": "", "login_required_since": ""}})
    watch.wait_for(r"^300 tokens: 1 at Zoho's limit, 2 cooling down\n.*saved last.*Ctrl-C ends\Z")
    assert len(watch.lines) <= size[1]
    watch.process.sendintr()
    assert watch.finish() == 0


@on_servers
@pytest.mark.usefixtures("many")
def test_what_doctor_advises_is_below_what_it_found(cli: CommandLine, terminal: Opened) -> None:
    doctor = terminal((80, 60), cli.variables, "doctor")
    assert doctor.finish() == 0

    found = next(n for n, line in enumerate(doctor.lines) if " logins " in line)
    assert doctor.lines[found].startswith("warned  logins ")
    assert "30 users must log in again:" in doctor.lines[found]
    advice = next(line for line in doctor.lines[found:] if "->" in line)
    assert "have them log in again" in advice
    assert re.fullmatch(r"\d+ passed, \d+ warned, 0 failed", doctor.lines[-1])


def test_watch_says_since_when_mongodb_is_silent(terminal: Opened, server: LocalMongo) -> None:
    with MongoTokenStore(server.uri, refresh=None) as store:
        store.ensure_indexes()
    watch = terminal((80, 24), {"ZOHO_MONGO_URI": server.uri}, "watch")
    watch.wait_for("0 tokens: none fails")
    server.kill()
    watch.wait_for(r"MongoDB silent since \d+ s")
    # It goes on counting while it waits.
    watch.wait_for(r"MongoDB silent since ([89]|\d\d) s")
    assert watch.process.isalive()
    server.start()
    watch.wait_for(r"Ctrl-C ends\Z")
    watch.process.sendintr()
    assert watch.finish() == 0


@on_servers
def test_what_several_findings_need_is_advised_once(
    cli: CommandLine, terminal: Opened, tokens: Tokens
) -> None:
    tokens.insert_one({"id": "1", "refresh_token": "R"})
    doctor = terminal((80, 60), cli.variables, "doctor")
    assert doctor.finish() == 1
    assert doctor.text.count("failed  indexes") == 2
    assert doctor.text.count("-> run zoho-mongo-store init") == 1


@on_servers
def test_sentences_break_between_words(cli: CommandLine, terminal: Opened, tokens: Tokens) -> None:
    ids = [letter * 32 for letter in "abc"]
    tokens.insert_many([{"id": id, "refresh_token": id} for id in ids])
    delete = terminal((80, 24), cli.variables, "delete", *ids)
    delete.wait_for(r"\[y/N\]")
    assert delete.lines == [f"Delete id {ids[0]}, id {ids[1]},", f"id {ids[2]}? [y/N]"]
    delete.process.sendline("n")
    assert delete.finish() == 1
    assert delete.lines[-2:] == [
        f"id {ids[2]}? [y/N] n",
        "zoho-mongo-store delete: nothing was done",
    ]

    wrong = terminal((80, 24), cli.variables, "revoke", "1", "--accounts-url", "notaurl")
    assert wrong.finish() == 2
    assert wrong.lines == [
        "zoho-mongo-store revoke: --accounts-url must be a URL such as",
        "https://accounts.zoho.eu, not 'notaurl'",
        "Try 'zoho-mongo-store revoke --help' for help.",
    ]


@on_servers
def test_what_is_purged_is_counted_once(cli: CommandLine, terminal: Opened, tokens: Tokens) -> None:
    purge = ("purge", "--idle-for", "1d", "--dry-run")
    for command, said in ((("list",), ["0 tokens"]), (purge, ["0 tokens would be deleted"])):
        empty = terminal((80, 24), cli.variables, *command)
        assert (empty.finish(), empty.lines) == (0, said)

    name, id = f"{'u' * 16}@example.com", "1" * 32
    saved = datetime(2020, 1, 1, 12)
    tokens.insert_one({"id": id, "user_name": name, "refresh_token": "R", "updated_at": saved})
    one = terminal((80, 24), cli.variables, *purge)
    assert one.finish() == 0
    # There is no room for its state.
    assert one.lines[1:] == [f"{name}  {id}  2020-01-01 12:00", "1 token would be deleted"]


@on_servers
@pytest.mark.parametrize("size", SIZES)
def test_why_a_token_fails_gives_way_to_nothing(
    cli: CommandLine, terminal: Opened, tokens: Tokens, size: tuple[int, int]
) -> None:
    # With its state, either takes what there is of a line.
    users = {"ada": f"ada{'a' * (size[0] - 70)}@b.c:1", "grace": "grace@b.c:2"}
    for number, user in enumerate(users.values()):
        tokens.insert_one({"id": f"{number}" * 32, "user_name": user, "refresh_token": user})
    cool_down(tokens, users["grace"], "too many")
    listed = terminal(size, cli.variables, "list")
    assert listed.finish() == 0
    assert set(users.values()) <= set(listed.text.split())
    assert re.search(r"since 2\d{3}-\d\d-\d\d \d\d:\d\d:\s+too many", listed.text)


@on_servers
def test_one_long_name_takes_no_room_from_the_others(
    cli: CommandLine, terminal: Opened, own_store: MongoTokenStore, tokens: Tokens
) -> None:
    own_store.ensure_indexes()
    names = ["ada@example.com:1", "bob@example.com:2", f"{'c' * 45}@example.com:30000000"]
    tokens.insert_many(
        [{"id": one[0] * 32, "user_name": one, "refresh_token": one} for one in names]
    )
    for name in names:
        cool_down(tokens, name, "too many")

    listed = terminal((80, 24), cli.variables, "list")
    assert listed.finish() == 0
    assert {*names, *(name[0] * 32 for name in names)} <= set(listed.lines)
    assert listed.text.count("cooling down for 4 min") == 3
    assert listed.text.endswith("3 tokens")

    watch = terminal((80, 24), cli.variables, "watch", "--count", "1")
    assert watch.finish() == 0
    assert watch.text.count("  cooling down for 4 min") == 3
    assert "ada@example.com:1 " in watch.text
