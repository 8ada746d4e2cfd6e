"""The options that every command shares which reaches MongoDB."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

_PANEL = "MongoDB"
_ENCRYPTION = "Encryption"


class Options(NamedTuple):
    """The shared options. Their names and types are the command line's."""

    uri: Annotated[
        str | None,
        typer.Option(
            envvar="ZOHO_MONGO_URI",
            metavar="URI",
            help="Connection string; the variable keeps a password out of the list of processes. "
            "Default: mongodb://localhost:27017.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    database: Annotated[
        str | None,
        typer.Option(
            envvar="ZOHO_MONGO_DATABASE",
            metavar="NAME",
            help="Default: the URI's own, else zohooauth.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    collection: Annotated[
        str,
        typer.Option(
            envvar="ZOHO_MONGO_COLLECTION",
            metavar="NAME",
            help="Collection of the tokens.",
            rich_help_panel=_PANEL,
        ),
    ] = "oauthtoken"
    kms_providers: Annotated[
        Path | None,
        typer.Option(
            envvar="ZOHO_MONGO_KMS_PROVIDERS",
            metavar="FILE",
            help="JSON file with the master keys of an encrypted collection, "
            'such as {"local": {"key": "BASE64"}}.',
            rich_help_panel=_ENCRYPTION,
        ),
    ] = None
    master_key: Annotated[
        str | None,
        typer.Option(
            envvar="ZOHO_MONGO_MASTER_KEY",
            metavar="JSON",
            help="Which master key of the first provider, unless that is local.",
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
