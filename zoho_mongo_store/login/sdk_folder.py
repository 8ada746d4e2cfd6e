"""Where the SDK keeps the fields of modules, if the application does not say."""

import atexit
import os
import shutil
import tempfile


def own_folder() -> str:
    """Create a temporary folder for this process, and remove it when the process exits.

    The SDK's own choice is the working directory, which other processes share and which may be
    read-only. The SDK locks its files against its own threads only.
    """
    folder = tempfile.mkdtemp(prefix="zoho-")
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: str, process: int) -> None:
    # A forked child inherits the exit handlers of its parent, which still needs the folder.
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
