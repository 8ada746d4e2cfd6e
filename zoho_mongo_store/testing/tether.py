"""Runs a Python module as ``python -m`` would, and ends it when the parent process is gone.

Used as a script: ``python tether.py PARENT_PID FOLDER MODULE [ARGUMENT ...]``. The parent may end
in any way, SIGKILL included. FOLDER, the working folder of the module, is then removed.
"""

import os
import runpy
import shutil
import sys
import threading
import time
from pathlib import Path

POLL_INTERVAL = 0.2


def wait_for_end_of(parent: int) -> None:
    """Block until the process that started this one has ended."""
    if os.name == "posix":
        # A pipe would be held open by whatever else the parent forked; the parent's id is not.
        while os.getppid() == parent:
            time.sleep(POLL_INTERVAL)
    else:
        sys.stdin.read()


def end_with(parent: int, folder: str) -> None:
    """Wait for the parent's end, remove the folder and end this process at once."""
    wait_for_end_of(parent)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    _, parent, folder, module, *arguments = sys.argv
    threading.Thread(target=end_with, args=(int(parent), folder), daemon=True).start()
    # A script's own folder leads the search path: put this package's root in its place.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
