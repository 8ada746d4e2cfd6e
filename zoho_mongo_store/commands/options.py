"""The options that several commands share."""

import os
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import typer

_MONGODB = "MongoDB"
_ENCRYPTION = "Encryption"

_Value = TypeVar("_Value", str | None, list[str] | None)


def as_text(value: _Value) -> _Value:
    """Decode an argument as UTF-8 if Python took it for ASCII, as in the C locale."""
    if value is None:
        return None
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return _as_text(value)


def _as_text(argument: str) -> str:
    try:
        return os.fsencode(argument).decode()
    except UnicodeError:
        return argument


IdArgument = Annotated[
    str | None,
    typer.Argument(metavar="ID", help="The token's id, as shown by list.", callback=as_text),
]
UserOption = Annotated[
    str | None,
    typer.Option(
        "--user",
        metavar="NAME",
        help="The token of this user, instead of an id.",
        callback=as_text,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON.")]


class Options(NamedTuple):
    """The options of every command that reaches MongoDB. ``connected`` adds them.

    Attributes:
        uri: The connection string. ``None``: a MongoDB on this machine.
        database: The database. ``None``: the one that the URI names, else ``zohooauth``.
        collection: The collection of the tokens.
        kms_providers: The file with the master keys. ``None``: secrets are not encrypted.
        master_key: The master key of the first provider, as JSON.
        key_vault: The database and collection of the data keys.
        key_name: The name of the data key.
    """

    uri: Annotated[
        str | None,
        typer.Option(
            envvar="ZOHO_MONGO_URI",
            metavar="URI",
            help="Connection string. To keep the password out of the process list, use the "
            "variable, or leave the password out: then you are asked for it. Default: "
            "mongodb://localhost:27017.",
            rich_help_panel=_MONGODB,
        ),
    ] = None
    database: Annotated[
        str | None,
        typer.Option(
            envvar="ZOHO_MONGO_DATABASE",
            metavar="NAME",
            help="Database of the tokens. Default: the one in the URI, else zohooauth.",
            rich_help_panel=_MONGODB,
        ),
    ] = None
    collection: Annotated[
        str,
        typer.Option(
            envvar="ZOHO_MONGO_COLLECTION",
            metavar="NAME",
            help="Collection of the tokens.",
            rich_help_panel=_MONGODB,
        ),
    ] = "oauthtoken"
    kms_providers: Annotated[
        Path | None,
        typer.Option(
            envvar="ZOHO_MONGO_KMS_PROVIDERS",
            metavar="FILE",
            help="File with the master keys of an encrypted collection: a local key from new-key "
            '(96 bytes), or JSON such as {"local": {"key": "BASE64"}}.',
            rich_help_panel=_ENCRYPTION,
        ),
    ] = None
    master_key: Annotated[
        str | None,
        typer.Option(
            envvar="ZOHO_MONGO_MASTER_KEY",
            metavar="JSON",
            help="Master key to use at the first provider, not needed for the provider local.",
            rich_help_panel=_ENCRYPTION,
        ),
    ] = None
    key_vault: Annotated[
        str,
        typer.Option(
            envvar="ZOHO_MONGO_KEY_VAULT",
            metavar="NAME",
            help="Database and collection of the data keys.",
            rich_help_panel=_ENCRYPTION,
        ),
    ] = "zohooauth.__keyVault"
    key_name: Annotated[
        str,
        typer.Option(
            envvar="ZOHO_MONGO_KEY_NAME",
            metavar="NAME",
            help="Name of the data key.",
            rich_help_panel=_ENCRYPTION,
        ),
    ] = "zoho-mongo-store"
