"""Ends programs and removes their folder when the process that started them is gone.

Used as a script: ``python tether.py PARENT_PID FOLDER``. The parent may end in any way, even by
SIGKILL. The file names in ``FOLDER/pids`` are the ids of the processes to kill. While the parent is
running, the script only waits; on a normal exit the parent ends it.
"""

# It starts with every server, so it imports nothing slow, not even pathlib.
import os
import signal
import sys
import time

POLL_INTERVAL = 0.2
REMOVAL_ATTEMPTS = 50


def wait_for_end_of(parent: int) -> None:
    """Block until the process that started this one has ended."""
    if os.name == "posix":
        # Not a pipe: other processes that the parent forks would hold it open.
        while os.getppid() == parent:
            time.sleep(POLL_INTERVAL)
    else:
        sys.stdin.read()


def kill_all(pids: str) -> None:
    """Kill the processes recorded in the folder ``pids``."""
    try:
        names = os.listdir(pids)
    except FileNotFoundError:
        return
    for name in names:
        try:
            os.kill(int(name), getattr(signal, "SIGKILL", signal.SIGTERM))
        except OSError:  # It has ended already.
            continue


def remove(folder: str) -> None:
    """Remove the folder, even if a process that is being killed still writes into it."""
    import shutil

    for _ in range(REMOVAL_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            break
        time.sleep(POLL_INTERVAL)


if __name__ == "__main__":
    _, parent, folder = sys.argv
    wait_for_end_of(int(parent))
    kill_all(os.path.join(folder, "pids"))
    remove(folder)
