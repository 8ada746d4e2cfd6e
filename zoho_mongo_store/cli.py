"""The ``zoho-mongo-store`` command, assembled from its sub-commands."""

import gc
import logging
import sys
import warnings
from typing import TYPE_CHECKING

from zoho_mongo_store.version import __version__

if TYPE_CHECKING:
    import typer

_USAGE_ERROR = 2
_OBJECTS = 100_000


def main() -> None:
    """Run the command line.

    Without the extra ``cli`` it prints one line that says what to install, and exits with status 2.
    """
    # A command makes many objects, keeps them and ends: to look through them for garbage as often
    # as Python does by itself is a tenth of its work.
    gc.set_threshold(_OBJECTS)
    try:
        run = application()
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        print(
            "the command line is not installed: run pip install 'zoho-mongo-store[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(_USAGE_ERROR) from None
    from zoho_mongo_store.commands.output import escape_unencodable
    from zoho_mongo_store.commands.usage import show_warning

    escape_unencodable()
    warnings.showwarning = show_warning
    run()


def application() -> "typer.Typer":
    """Create the Typer application with all sub-commands."""
    from zoho_mongo_store.commands.create_roles import create_roles
    from zoho_mongo_store.commands.delete import delete
    from zoho_mongo_store.commands.demo.command import demo
    from zoho_mongo_store.commands.doctor.command import doctor
    from zoho_mongo_store.commands.expire import expire
    from zoho_mongo_store.commands.export import export
    from zoho_mongo_store.commands.imports import import_commands
    from zoho_mongo_store.commands.init import init
    from zoho_mongo_store.commands.keys import decrypt, encrypt, rotate_keys
    from zoho_mongo_store.commands.list import list_
    from zoho_mongo_store.commands.new_key import new_key
    from zoho_mongo_store.commands.purge import purge
    from zoho_mongo_store.commands.refresh import refresh
    from zoho_mongo_store.commands.revoke import revoke
    from zoho_mongo_store.commands.show import show
    from zoho_mongo_store.commands.watch import watch

    app = _empty_application()
    app.command("create-roles")(create_roles)
    app.command("init")(init)
    app.command("list")(list_)
    app.command("show")(show)
    app.command("watch")(watch)
    app.command("doctor")(doctor)
    app.command("refresh")(refresh)
    app.command("expire")(expire)
    app.command("delete")(delete)
    app.command("purge")(purge)
    app.command("revoke")(revoke)
    app.add_typer(import_commands())
    app.command("export")(export)
    app.command("new-key")(new_key)
    app.command("encrypt")(encrypt)
    app.command("decrypt")(decrypt)
    app.command("rotate-keys")(rotate_keys)
    app.command("demo")(demo)
    return app


def _empty_application() -> "typer.Typer":
    """Create the Typer application with the options that precede a sub-command."""
    import typer

    from zoho_mongo_store.commands.usage import OneLineErrors

    app = typer.Typer(
        name="zoho-mongo-store",
        cls=OneLineErrors,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Tokens of the Zoho CRM Python SDK in MongoDB.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        # A traceback with local variables would show tokens.
        pretty_exceptions_enable=False,
    )

    def print_version(wanted: bool) -> None:
        if wanted:
            from zoho_mongo_store.commands.versions import installed_versions

            typer.echo(f"zoho-mongo-store {__version__}")
            for name, installed in installed_versions().items():
                typer.echo(f"{name} {installed}")
            raise typer.Exit

    @app.callback()
    def options(
        version: bool = typer.Option(
            False,
            "--version",
            callback=print_version,
            is_eager=True,
            help="Show the version, and the versions of Python, the SDK and pymongo.",
        ),
    ) -> None:
        del version
        # Commands print errors themselves; the log would print them again.
        logging.getLogger("zoho_mongo_store").addHandler(logging.NullHandler())

    return app
