"""``zoho-mongo-store new-key``."""

import os
from pathlib import Path
from typing import Annotated

import typer

from zoho_mongo_store.commands.failures import CommandError, one_line_on_failure
from zoho_mongo_store.commands.output import print_text

KEY_BYTES = 96
"""The length of a local master key."""
_NAME = "new-key"


def new_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; it must not exist.")],
) -> None:
    """Create a local master key: a file of 96 random bytes, readable only by its owner (mode 0600).

    Pass it to applications as kms_providers={"local": {"key": Path("FILE").read_bytes()}}, and to
    commands as --kms-providers FILE.
    """
    with one_line_on_failure(_NAME, []):
        _write(file, os.urandom(KEY_BYTES))
        print_text(
            f"{file}: {KEY_BYTES} random bytes. Keep a copy elsewhere, but never with the backups "
            "of MongoDB: without the key nobody can read encrypted secrets"
        )


def _write(path: Path, key: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(
            f"{path} exists: choose another file, since a key in use would be lost"
        ) from None
    with open(handle, "wb") as file:  # noqa: PTH123 - a handle
        file.write(key)
        file.flush()
        os.fsync(handle)
