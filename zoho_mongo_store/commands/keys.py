"""``zoho-mongo-store encrypt``, ``decrypt`` and ``rotate-keys``."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoho_mongo_store.commands.connecting import connected
from zoho_mongo_store.commands.output import JsonOption

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def encrypt(context: "CommandContext", json: JsonOption = False) -> None:
    """Encrypt all secrets of the collection, while applications go on using it.

    They all have to find both kinds meanwhile: FieldEncryption(..., plain="read"). The data key is
    made if there is none. May be stopped and run again at any point.
    """
    from zoho_mongo_store.encryption.maintenance import encrypt_collection

    _move(context, encrypt_collection, "encrypted", json)


@connected
def decrypt(context: "CommandContext", json: JsonOption = False) -> None:
    """Store all secrets in plain again, while applications go on using the collection.

    They all have to write plain meanwhile: FieldEncryption(..., plain="write"). May be stopped and
    run again at any point.
    """
    from zoho_mongo_store.encryption.maintenance import decrypt_collection

    _move(context, decrypt_collection, "decrypted", json)


@connected
def rotate_keys(
    context: "CommandContext",
    data_key: Annotated[
        bool,
        typer.Option(
            "--data-key",
            help="Also make a new data key and encrypt all secrets with it; takes over a minute.",
        ),
    ] = False,
    store_timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="With --data-key: the longest time-out of the stores in use; while an import "
            "runs, no less than 15. The command waits twice for this and 15 seconds more.",
        ),
    ] = 15.0,
    json: JsonOption = False,
) -> None:
    """Wrap the data keys with the first of the master keys in --kms-providers.

    All applications have to know both master keys before. No token is touched, unless a new data
    key is asked for. May be stopped and run again at any point.
    """
    from zoho_mongo_store.commands.key_run import rotated_master_key
    from zoho_mongo_store.encryption.maintenance import rotate_data_key

    rotated_master_key(context, json=json and not data_key, quiet=json)
    if data_key:
        rotate = partial(rotate_data_key, store_timeout=store_timeout)
        _move(context, rotate, "encrypted with the new data key", json)


def _move(context: "CommandContext", operation: Callable[..., Any], done: str, json: bool) -> None:
    from zoho_mongo_store.commands.key_run import moved

    moved(context, operation, done, json=json)
