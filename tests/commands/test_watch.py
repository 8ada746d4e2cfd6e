"""``watch``: what changed, told live, with a change stream and without; its end."""

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure

from tests.commands.conftest import CommandLine
from tests.commands.running import COMMAND, running
from tests.commands.states import DEAD, cool_down, end_login
from tests.engines import SERVERS
from tests.tokens import full
from tests.transfer.sources import in_hours
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.commands import watcher

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

Tokens = Collection[dict[str, Any]]


def save(store: MongoTokenStore, user: str, access_token: str, hours: float) -> None:
    store.save_token(
        full(
            user_name=user,
            refresh_token=f"R {user}",
            grant_token=f"G {user}",
            access_token=access_token,
            expires_in=in_hours(hours),
        )
    )


def test_changes_are_told_and_ctrl_c_is_no_failure(
    cli: CommandLine, own_store: MongoTokenStore, tokens: Tokens, tmp_path: Path
) -> None:
    save(own_store, "ada", "A-secret", -1)
    save(own_store, "hedy", "A5-secret", 1)
    end_login(tokens, "ada")
    command = (str(COMMAND), "watch", "--json")
    with running(*command, folder=tmp_path, **cli.variables) as process:
        assert DEAD in process.wait_for('"ada"')
        save_login(own_store, "ada", "A2-secret")
        process.wait_for('"valid"')
        save(own_store, "grace", "A3-secret", 1)
        process.wait_for('"grace"')
        cool_down(tokens, "grace", "too many")
        process.wait_for('"cooling down"')
        tokens.delete_one({"user_name": "grace"})
        process.wait_for('"gone"')
        process.send(signal.SIGINT)
        ended = process.finish()

    assert (ended.status, ended.errors) == (0, "")
    told = [json.loads(line) for line in ended.output.splitlines()]
    assert [(one.get("user"), one["state"]) for one in told] == [
        ("ada", "login required"),
        ("ada", "valid"),
        ("grace", "valid"),
        ("grace", "cooling down"),
        ("grace", "gone"),
    ]
    assert "secret" not in ended.output


def save_login(store: MongoTokenStore, user: str, access_token: str) -> None:
    """A login: it brings another refresh token."""
    token = full(user_name=user, refresh_token=f"R2 {user}", access_token=access_token)
    token.set_expires_in(in_hours(1))
    store.save_token(token)


def test_in_a_pipe_each_change_is_a_line_and_nothing_is_none(
    cli: CommandLine, own_store: MongoTokenStore, tokens: Tokens, tmp_path: Path
) -> None:
    for user in ("ada", "hedy", "jean"):
        save(own_store, user, f"A-secret {user}", 1)
    cool_down(tokens, "hedy", "too many")
    command = (str(COMMAND), "watch", "--rows", "2")
    with running(*command, folder=tmp_path, **cli.variables) as process:
        process.wait_for("too many")
        tokens.delete_one({"user_name": "jean"})
        process.wait_for("gone")
        save(own_store, "grace", "A3-secret", 1)
        process.wait_for("grace")
        process.send(signal.SIGINT)
        ended = process.finish()

    lines = [line.split("\t") for line in ended.output.splitlines()]
    # Ada moves up when jean is gone, and leaves again when grace comes: no change of hers.
    assert [(line[1], line[3]) for line in lines] == [
        ("hedy", "cooling down"),
        ("jean", "gone"),
        ("grace", "valid"),
    ]
    assert all(datetime.fromisoformat(line[0]).tzinfo is not None for line in lines)
    assert lines[0][-1] == "too many"
    assert "secret" not in ended.output


def test_without_change_streams_it_polls(
    cli: CommandLine, own_store: MongoTokenStore, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OperationFailure("only supported on replica sets", 40573)

    monkeypatch.setattr(Database, "watch", refused)
    save(own_store, "ada", "A", 1)
    end_login(tokens, "ada")
    began = time.monotonic()
    result = cli("watch", "--count", "3")
    assert result.status == 0
    assert [row[1:4:2] for row in result.rows] == [["ada", "login required"]]
    assert time.monotonic() - began >= 2


def test_a_cool_down_that_ends_is_a_change(
    cli: CommandLine, own_store: MongoTokenStore, tokens: Tokens
) -> None:
    save(own_store, "ada", "A", 1)
    save(own_store, "grace", "A", 1)
    cool_down(tokens, "ada", "too many")
    leases = tokens.database["oauthtoken.leases"]
    soon = datetime.now(UTC) + timedelta(seconds=4)
    [[request, _]] = leases.find_one()["failures"].items()  # type: ignore[index]
    leases.update_one({}, {"$set": {f"failures.{request}.until": soon, "busy_until": soon}})

    result = cli("watch", "--rows", "1", "--for", "6s")
    assert [row[1:4:2] for row in result.rows] == [["ada", "cooling down"], ["ada", "valid"]]


def test_no_server(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "TIMEOUT", 0.5)
    result = cli("watch", "--uri", "mongodb://127.0.0.1:1/")
    assert (result.status, result.errors.count("\n")) == (1, 1)
