"""The comparison of three stores by ``fleet.py``, at a small size."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engines import SERVERS, Engine
from tests.examples.test_examples import EXAMPLES
from zoho_mongo_store.testing import LoopbackZoho

SIZE = 4
# Seconds. All find the token before the first answer comes, also on a busy machine.
DELAY = 5
PNG = b"\x89PNG\r\n\x1a\n"
# Runs the example as if a package were not installed.
WITHOUT = """
import runpy, sys
name, path = sys.argv[1:3]
sys.modules[name] = None
sys.argv, sys.path[0] = sys.argv[2:], path.rpartition("/")[0]
runpy.run_path(path, run_name="__main__")
"""


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, which the processes that it starts find as well."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("fleet")


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
@pytest.mark.parametrize(
    ("store", "requests"), [("SDK's FileStore", SIZE), ("refresh=None", SIZE), ("this store", 1)]
)
def test_counts_what_each_store_asks_of_zoho(
    example: Any, engine: Engine, zoho: LoopbackZoho, store: str, requests: int
) -> None:
    zoho.configure(delay=DELAY)

    outcome = example.run(store, SIZE, engine.uri, zoho)

    assert (outcome.store, outcome.processes, outcome.requests) == (store, SIZE, requests)
    assert (outcome.refusals, outcome.failed, outcome.access_tokens) == (0, 0, requests)
    assert outcome.seconds >= DELAY


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_counts_refusals_as_failed_calls(example: Any, engine: Engine, zoho: LoopbackZoho) -> None:
    zoho.configure(failure="throttle", delay=DELAY)

    outcome = example.run("refresh=None", SIZE, engine.uri, zoho)

    assert (outcome.requests, outcome.refusals, outcome.failed) == (SIZE, SIZE, SIZE)
    assert outcome.access_tokens == 0
    assert outcome.errors == {"INVALID TOKEN ERROR": SIZE}


def test_prints_a_table_and_draws_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "fleet.png"

    finished = run("--processes", "2", "--plot", str(picture), folder=tmp_path)

    assert (finished.returncode, finished.stderr) == (0, "")
    [line] = [line for line in finished.stdout.splitlines() if "this store" in line]
    assert line.replace("│", " ").split()[:7] == ["this", "store", "2", "1", "0", "0", "1"]
    assert picture.read_bytes().startswith(PNG)
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.png"]


@pytest.mark.parametrize(
    ("missing", "advice"),
    [
        ("typer", "pip install 'zoho-mongo-store[crm8,demo]'"),
        ("matplotlib", "pass --no-plot"),
    ],
)
def test_says_what_to_install(tmp_path: Path, missing: str, advice: str) -> None:
    finished = run(folder=tmp_path, without=missing)

    assert finished.returncode == 1
    assert finished.stdout == ""
    [line] = finished.stderr.splitlines()
    assert missing in line
    assert advice in line


def run(
    *arguments: str, folder: Path, without: str | None = None
) -> "subprocess.CompletedProcess[str]":
    blocked = [] if without is None else ["-c", WITHOUT, without]
    return subprocess.run(
        [sys.executable, *blocked, EXAMPLES / "fleet.py", *arguments],
        env={**os.environ, "COLUMNS": "80"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
