"""The options that every command shares which reaches MongoDB, and the way there."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from zoho_mongo_store.commands.reporting import reported

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


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function whose first argument is a ``Place``.

    The command line gets the shared options behind the function's own, and failures end it with one
    line.
    """
    own = inspect.signature(command)
    shared = inspect.signature(Options).parameters.values()
    name = _typed(command.__name__)

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        options = Options(**{one.name: arguments.pop(one.name) for one in shared})
        with reported(name) as secrets:
            from zoho_mongo_store.commands.place import Place

            place = Place(options)
            secrets.append(place.secrets)
            command(place, **arguments)

    parameters = [
        *list(own.parameters.values())[1:],
        *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shared),
    ]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": None}
    return run


def _typed(name: str) -> str:
    """How a command is typed: ``list_`` is ``list``, ``rotate_keys`` is ``rotate-keys``, and
    ``import_mysql`` is ``import mysql``."""
    if name.startswith("import_"):
        return name.replace("_", " ")
    return name.strip("_").replace("_", "-")
