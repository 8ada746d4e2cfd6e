"""How the command line says with which keys a collection is encrypted."""

import base64
import binascii
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from zoho_mongo_store.commands.reporting import warn
from zoho_mongo_store.encryption import FieldEncryption

# What pymongo takes as bytes: the local master key.
_LOCAL = "local"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def field_encryption(
    kms_providers: Path, master_key: str | None, key_vault: str, key_name: str
) -> FieldEncryption:
    """The encryption that the options name.

    Finds secrets that are not encrypted as well, and encrypts what it writes. A usage error for a
    file that cannot be read.
    """
    return FieldEncryption(
        _providers(kms_providers),
        None if master_key is None else _object(master_key, "--master-key"),
        key_vault,
        key_name,
        plain="read",
    )


def _providers(path: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read ({type(error).__name__})") from None
    if os.name == "posix" and mode & _OTHERS:
        warn(f"others than its owner may use {path}: chmod 600 {path}")
    providers = _object(text, str(path))
    for name, credentials in providers.items():
        if not isinstance(credentials, dict):
            raise typer.BadParameter(f"{path}: {name} is not a JSON object")
        if name.partition(":")[0] == _LOCAL:
            credentials["key"] = _master_key(credentials.get("key"), path)
    return providers


def _master_key(text: object, path: Path) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        raise typer.BadParameter(f"{path}: the local key is not base64") from None


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise typer.BadParameter(f"{where} is not JSON") from None
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{where} is not a JSON object")
    return value
