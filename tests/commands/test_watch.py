"""``watch``: what changed, told live, with a change stream and without; its end."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure

from tests.commands.conftest import CommandLine
from tests.commands.running import COMMAND, run_on_terminal, running
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
    command = (str(COMMAND), "watch", "--json")
    with running(*command, folder=tmp_path, **cli.variables) as process:
        assert '"expired"' in process.wait_for('"ada"')
        save(own_store, "ada", "A2-secret", 1)
        process.wait_for('"valid"')
        save(own_store, "grace", "A3-secret", 1)
        process.wait_for('"grace"')
        tokens.delete_one({"user_name": "grace"})
        process.wait_for('"gone"')
        process.send(signal.SIGINT)
        ended = process.finish()

    assert (ended.status, ended.errors) == (0, "")
    told = [json.loads(line) for line in ended.output.splitlines()]
    assert [(one.get("user"), one["state"]) for one in told] == [
        ("ada", "expired"),
        ("ada", "valid"),
        ("grace", "valid"),
        (None, "gone"),
    ]
    assert "secret" not in ended.output


def test_without_change_streams_it_polls(
    cli: CommandLine, own_store: MongoTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OperationFailure("only supported on replica sets", 40573)

    monkeypatch.setattr(Database, "watch", refused)
    save(own_store, "ada", "A", 1)
    began = time.monotonic()
    result = cli("watch", "--count", "2")
    assert (result.status, [row[0] for row in result.rows]) == (0, ["ada"])
    assert "looked for every 1 s" in result.output
    assert result.output.count("╭") == 1  # Nothing changed, so it is shown once.
    assert time.monotonic() - began >= 1


@pytest.mark.usefixtures("replica_set")
def test_a_change_stream_is_used_where_there_is_one(cli: CommandLine) -> None:
    result = cli("watch", "--for", "0s")
    assert result.status == 0
    assert "0 tokens, 0 refreshing, 0 cooling down, " in result.output
    assert "told by a change stream" in result.output


def test_the_newest_rows_are_shown(cli: CommandLine, own_store: MongoTokenStore) -> None:
    for n in range(5):
        save(own_store, f"u{n}", f"A{n}", 1)
        time.sleep(0.005)
    result = cli("watch", "--count", "1", "--rows", "2")
    assert [row[0] for row in result.rows] == ["u4", "u3"]
    assert "5 tokens, " in result.output


def test_no_server(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "TIMEOUT", 0.5)
    result = cli("watch", "--uri", "mongodb://127.0.0.1:1/")
    assert (result.status, result.errors.count("\n")) == (1, 1)


def test_on_a_terminal_it_is_one_live_table_in_colour(
    cli: CommandLine, own_store: MongoTokenStore, tmp_path: Path
) -> None:
    save(own_store, "ada", "A", 1)
    environment = {**os.environ, **cli.variables, "COLUMNS": "100"}
    command = (str(COMMAND), "watch", "--count", "2")
    shown = run_on_terminal(*command, folder=tmp_path, environment=environment)
    text = shown.decode()
    assert "\x1b[32mvalid for" in text
    assert "\x1b[1A" in text  # The second look is drawn over the first.
