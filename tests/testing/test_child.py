"""Child processes: they end in order, and with their parent, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.testing.waiting import eventually
from zoho_mongo_store.testing.child import Tether

SLEEP = [sys.executable, "-S", "-c", "import time; print('ready', flush=True); time.sleep(60)"]


@pytest.fixture
def tether(temporary_folders: Path) -> Iterator[Tether]:  # noqa: ARG001 - it checks what is left
    tether = Tether()
    yield tether
    tether.close()


def soon() -> float:
    return time.monotonic() + 30


def test_close_ends_the_programs_and_their_watcher(tether: Tether, temporary_folders: Path) -> None:
    before = psutil.Process().children()
    children = [tether.run(f"sleep-{number}", SLEEP) for number in range(2)]
    for child in children:
        child.wait_for_output("ready", soon())
    pids = [child.pid for child in children]
    assert len(list(temporary_folders.iterdir())) == 1
    tether.close()
    assert not any(psutil.pid_exists(pid) for pid in pids if pid)
    assert [child.pid for child in children] == [None, None]
    assert set(psutil.Process().children()) < set(before)  # The watcher was among them.
    assert list(temporary_folders.iterdir()) == []


def test_a_module_runs_with_the_search_path_of_its_parent(
    tether: Tether, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "speaking.py").write_text("import sys; print('said', *sys.argv[1:])")
    monkeypatch.syspath_prepend(tmp_path)
    tether.run_module("speaking", "this").wait_for_output("said this", soon())


def test_one_that_ignores_sigterm_is_killed(tether: Tether) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('ready', flush=True); time.sleep(60)"
    )
    child = tether.run("stubborn", [sys.executable, "-c", script])
    child.wait_for_output("ready", soon())
    child.terminate(grace=0.5)
    assert child.exit_code == -signal.SIGKILL


def test_one_that_fails_is_an_error_with_its_last_output(tether: Tether) -> None:
    script = "raise SystemExit('what went wrong')"
    child = tether.run("failing", [sys.executable, "-c", script])
    with pytest.raises(RuntimeError, match=r"(?s)failing ended before.*what went wrong"):
        child.wait_for_output("ready", soon())
    assert child.exit_code == 1


def test_one_that_is_silent_is_an_error_in_time(tether: Tether) -> None:
    child = tether.run("silent", SLEEP)
    with pytest.raises(RuntimeError, match="silent was not ready in time"):
        child.wait_for_output("never", time.monotonic() + 0.2)


def test_suspend_and_resume(tether: Tether) -> None:
    child = tether.run("sleep", SLEEP)
    child.wait_for_output("ready", soon())
    assert child.pid is not None
    process = psutil.Process(child.pid)
    child.suspend()
    assert eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    child.resume()
    assert eventually(lambda: process.status() != psutil.STATUS_STOPPED)


def test_a_ctrl_c_of_the_parent_does_not_reach_them(tether: Tether) -> None:
    child = tether.run("sleep", SLEEP)
    assert child.pid is not None
    assert os.getsid(child.pid) == child.pid


PARENT = """
import os, sys, time
from zoho_mongo_store.testing.child import Tether

program = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
tether, empty = Tether(), Tether()
running, suspended, killed = (tether.run(name, program) for name in ("one", "two", "three"))
suspended.suspend()
killed.kill()
empty.run("one", program).kill()
sibling = os.fork()  # Holds what the parent held open, and outlives it.
if sibling == 0:
    time.sleep(60)
    os._exit(0)
print(sibling, running.pid, suspended.pid, tether._watcher.pid, empty._watcher.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_killed_parent_leaves_neither_processes_nor_folders(temporary_folders: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(temporary_folders)}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        try:
            assert parent.stdout is not None
            sibling, *pids = map(int, parent.stdout.readline().split())
            processes = [psutil.Process(pid) for pid in pids]
            assert len(list(temporary_folders.iterdir())) == 2
        finally:
            parent.kill()
        try:
            gone, alive = psutil.wait_procs(processes, timeout=30)
            assert (len(gone), alive) == (4, [])
        finally:
            os.kill(sibling, signal.SIGKILL)
    assert list(temporary_folders.iterdir()) == []
