"""``zoho-mongo-store encrypt``, ``decrypt`` and ``rotate-keys``."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoho_mongo_store.commands.confirmation import confirm
from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.options import JsonOption, YesOption
from zoho_mongo_store.commands.output import print_text

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def encrypt(context: "CommandContext", yes: YesOption = False, json: JsonOption = False) -> None:
    """Encrypt all secrets in the collection, while applications keep using it.

    First set FieldEncryption(..., plain="read") in every application, so that they find both
    encrypted and plain secrets. If there is no data key, it is created. You can stop this command
    and run it again at any time.
    """
    from zoho_mongo_store.encryption.maintenance import encrypt_collection

    if not yes:
        _confirm(context, "Encrypt", "cannot read encrypted secrets", "read")
    _migrate(context, encrypt_collection, "encrypt", "encrypted", json)


@connected
def decrypt(context: "CommandContext", yes: YesOption = False, json: JsonOption = False) -> None:
    """Decrypt all secrets in the collection, while applications keep using it.

    First set FieldEncryption(..., plain="write") in every application, so that they write plain
    secrets. You can stop this command and run it again at any time.
    """
    from zoho_mongo_store.encryption.maintenance import decrypt_collection

    if not yes:
        _confirm(context, "Decrypt", "refuses plain secrets", "write")
    _migrate(context, decrypt_collection, "decrypt", "decrypted", json)


@connected
def rotate_keys(
    context: "CommandContext",
    data_key: Annotated[
        bool,
        typer.Option(
            "--data-key",
            help="Also create a new data key and encrypt all secrets with it. Takes over a minute.",
        ),
    ] = False,
    store_timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="With --data-key: the longest timeout of any store in use, but at least 15 while "
            "an import is running. The command waits twice for this time plus 15 seconds.",
        ),
    ] = 15.0,
    json: JsonOption = False,
) -> None:
    """Wrap the data keys with the first master key in --kms-providers.

    First give both master keys to every application. Without --data-key no token is changed. You
    can stop this command and run it again at any time.
    """
    from zoho_mongo_store.commands.key_maintenance import run_master_key_rotation
    from zoho_mongo_store.encryption.maintenance import rotate_data_key

    run_master_key_rotation(context, json=json and not data_key, quiet=json)
    if data_key:
        rotate = partial(rotate_data_key, store_timeout=store_timeout)
        _migrate(context, rotate, "rotate-keys", "encrypted with the new data key", json)


def _confirm(context: "CommandContext", verb: str, otherwise: str, plain: str) -> None:
    """Say which setting applications must have, and ask for confirmation."""
    from zoho_mongo_store.commands.key_maintenance import require_encryption

    require_encryption(context)
    print_text(
        f'Every application must have FieldEncryption(..., plain="{plain}") by now: one without it '
        f"{otherwise}.",
        stderr=True,
    )
    confirm(f"{verb} all secrets in {context.collection.full_name}?")


def _migrate(
    context: "CommandContext", operation: Callable[..., Any], command: str, done: str, json: bool
) -> None:
    from zoho_mongo_store.commands.key_maintenance import run_migration

    run_migration(context, operation, command, done, json=json)
