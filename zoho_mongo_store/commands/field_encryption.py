"""Reads the master keys that the options name."""

import base64
import binascii
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from zoho_mongo_store.commands.new_key import KEY_BYTES
from zoho_mongo_store.commands.options import Options
from zoho_mongo_store.commands.output import print_warning
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.errors import InvalidInputError

_LOCAL = "local"
"""The provider whose master key pymongo expects as bytes, which JSON cannot express."""
_GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def field_encryption(options: Options) -> FieldEncryption | None:
    """Create the encryption settings of a command.

    With them, a command also reads plain secrets, and encrypts the secrets that it writes.

    Args:
        options: The shared options.

    Returns:
        The settings; ``None`` if the options name no master keys.

    Raises:
        typer.BadParameter: The file, the master key or a name is wrong: a usage error.
    """
    if options.kms_providers is None:
        return None
    master_key = options.master_key
    try:
        return FieldEncryption(
            _read_providers(options.kms_providers),
            None if master_key is None else _json_object(master_key, "--master-key is not"),
            options.key_vault,
            options.key_name,
            plain="read",
        )
    except InvalidInputError as error:
        raise typer.BadParameter(str(error)) from None


def _read_providers(path: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        content = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from None
    if os.name == "posix" and mode & _GROUP_AND_OTHERS:
        print_warning(f"{path} is not only for its owner: run chmod 600 {path}")
    if len(content) == KEY_BYTES and not content.lstrip().startswith(b"{"):
        return {_LOCAL: {"key": content}}
    providers = _json_object(
        content, f"{path} has {len(content)} bytes: it is neither a key of {KEY_BYTES} bytes nor"
    )
    for name, credentials in providers.items():
        if not isinstance(credentials, dict):
            raise typer.BadParameter(f"{path}: {name} is not a JSON object")
        if name.partition(":")[0] == _LOCAL:
            credentials["key"] = _decode_local_key(credentials.get("key"), path)
    return providers


def _decode_local_key(text: object, path: Path) -> bytes:
    try:
        key = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        raise typer.BadParameter(f"{path}: the local key is not base64") from None
    if len(key) != KEY_BYTES:
        raise typer.BadParameter(f"{path}: the local key has {len(key)} bytes, not {KEY_BYTES}")
    return key


def _json_object(text: str | bytes, is_not: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{is_not} a JSON object")
    return value
