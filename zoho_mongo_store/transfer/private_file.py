"""Writes files that only their owner can read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def private_file(path: Path) -> Iterator[TextIO]:
    """Write a file completely or not at all, with mode 0600 from the first byte.

    The text goes to a temporary file in the same folder. It replaces ``path`` if the block ends
    without an error, and is deleted otherwise.

    Args:
        path: The file to write. An existing one is replaced.

    Yields:
        The stream to write to, in UTF-8, without translation of line ends.

    Raises:
        OSError: The file cannot be written.
    """
    # mkstemp creates the file with mode 0600.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    written = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", newline="") as stream:  # noqa: PTH123 - a handle
            yield stream
            stream.flush()
            os.fsync(handle)
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
