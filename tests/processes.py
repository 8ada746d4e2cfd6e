"""Runs one function in many processes, or in many threads, at the same moment."""

import multiprocessing
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any, TypeVar

_Result = TypeVar("_Result")

# Children are forked from a server that has imported what they use, and has no threads and no
# clients.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["tests.processes", "tests.sdk.application", "tests.refresh.callers", "pymongo.encryption"]
)

# In a process that ``in_processes`` started: where it meets the others.
_meeting: Barrier | None = None


def in_processes(
    function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], timeout: float = 90
) -> list[Any]:
    """What ``function(*arguments[i])`` returns, each from a process of its own.

    All begin together, once the last one is ready. Raises ``AssertionError`` with the tracebacks
    of those that failed, or that were not done within ``timeout`` seconds, and were then ended.
    """
    barrier = CONTEXT.Barrier(len(arguments))
    ends, processes = [], []
    for one in arguments:
        end, child_end = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=_run, args=(barrier, child_end, function, one))
        process.start()
        child_end.close()
        ends.append(end)
        processes.append(process)
    deadline = time.monotonic() + timeout
    try:
        outcomes = [_receive(end, deadline) for end in ends]
    finally:
        for process, end in zip(processes, ends, strict=True):
            end.close()
            process.join(max(0.1, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
    failures = [error for _, error in outcomes if error]
    assert not failures, f"{len(failures)} of {len(outcomes)} failed:\n" + "\n".join(failures[:3])
    return [value for value, _ in outcomes]


def end(process: "subprocess.Popen[Any]", seconds: float) -> None:
    """End a program that a test started: kindly, and by force if it takes longer than that."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def all_together() -> None:
    """Wait, in a function that ``in_processes`` runs, until all its processes have come so far."""
    assert _meeting is not None, "this process was not started by in_processes"
    _meeting.wait(60)


def in_threads(
    function: Callable[..., _Result], arguments: Sequence[tuple[Any, ...]]
) -> list[_Result]:
    """What ``function(*arguments[i])`` returns, each in a thread of its own; all begin together."""
    barrier = threading.Barrier(len(arguments))

    def run(one: tuple[Any, ...]) -> _Result:
        barrier.wait(60)
        return function(*one)

    with ThreadPoolExecutor(len(arguments)) as threads:
        return list(threads.map(run, arguments))


def _run(
    barrier: Barrier, end: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    global _meeting
    _meeting = barrier
    try:
        all_together()
        end.send((function(*arguments), ""))
    except BaseException:
        end.send((None, traceback.format_exc()))
    finally:
        end.close()


def _receive(end: Connection, deadline: float) -> tuple[Any, str]:
    if not end.poll(max(0, deadline - time.monotonic())):
        return None, "not done in time"
    try:
        outcome: tuple[Any, str] = end.recv()
    except EOFError:
        return None, "ended without an answer"
    return outcome
