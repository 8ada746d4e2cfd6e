"""A file that its owner alone can read, from its first byte on."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def private_file(path: Path) -> Iterator[TextIO]:
    """Write ``path`` as a whole or not at all, with mode 0600.

    It is written under another name in the same folder, and takes its place when the block ends
    without an error. Raises ``OSError``.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # Its mode is 0600.
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
