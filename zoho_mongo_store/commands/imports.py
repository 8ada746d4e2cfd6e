"""``zoho-mongo-store import``: one sub-command for each place that tokens come from."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connecting import connected
from zoho_mongo_store.commands.output import JsonOption

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_PASSWORD_VARIABLE = "ZOHO_MYSQL_PASSWORD"  # noqa: S105 - a variable's name
_SOURCE = "Source"

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")]
SourceFile = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)
]


def import_commands() -> typer.Typer:
    """The sub-commands, put together."""
    app = typer.Typer(
        name="import",
        no_args_is_help=True,
        help="Bring tokens in from another store, under their own ids.\n\n"
        "Can be run again at any time, also beside the application. A stored token is replaced "
        "only by one that expires later. Of several rows for one user, the one that expires last "
        "counts. Damaged rows are told and skipped, and the command then ends with 1.",
    )
    for command in (import_filestore, import_mysql, import_sqlite, import_jsonl):
        app.command(command.__name__.removeprefix("import_"))(command)
    return app


@connected
def import_filestore(
    context: "CommandContext", file: SourceFile, dry_run: DryRun = False, json: JsonOption = False
) -> None:
    """From the file of the SDK's FileStore, with 9 or 10 columns."""
    from zoho_mongo_store.commands.import_run import run_import
    from zoho_mongo_store.transfer.filestore import FileStoreFile

    run_import(context, FileStoreFile(file), dry_run=dry_run, json=json)


@connected
def import_jsonl(
    context: "CommandContext", file: SourceFile, dry_run: DryRun = False, json: JsonOption = False
) -> None:
    """From JSON lines, as export --show-secrets writes them."""
    from zoho_mongo_store.commands.import_run import run_import
    from zoho_mongo_store.transfer.json_lines import JsonLinesFile

    run_import(context, JsonLinesFile(file), dry_run=dry_run, json=json)


@connected
def import_sqlite(
    context: "CommandContext",
    file: SourceFile,
    table: Annotated[
        str, typer.Option(metavar="NAME", help="Its name.", rich_help_panel=_SOURCE)
    ] = "oauthtoken",
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """From the SQLite file of Zoho's sample store, such as zohooauth.db."""
    from zoho_mongo_store.commands.import_run import run_import
    from zoho_mongo_store.transfer.tables import SqliteTable

    run_import(context, SqliteTable(file, table), dry_run=dry_run, json=json)


@connected
def import_mysql(
    context: "CommandContext",
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Its host.", rich_help_panel=_SOURCE)
    ] = "localhost",
    port: Annotated[
        int, typer.Option(metavar="PORT", help="Its port.", rich_help_panel=_SOURCE)
    ] = 3306,
    user: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"MySQL user; the password comes from {_PASSWORD_VARIABLE}, or is asked for.",
            rich_help_panel=_SOURCE,
        ),
    ] = "root",
    mysql_database: Annotated[
        str, typer.Option(metavar="NAME", help="MySQL database.", rich_help_panel=_SOURCE)
    ] = "zohooauth",
    table: Annotated[
        str, typer.Option(metavar="NAME", help="Its name.", rich_help_panel=_SOURCE)
    ] = "oauthtoken",
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """From the MySQL table of the SDK's DBStore. The defaults are those of DBStore.

    Needs an extra: pip install 'zoho-mongo-store[mysql]'.
    """
    from zoho_mongo_store.commands.import_run import run_import
    from zoho_mongo_store.transfer.tables import MySqlServer, MySqlTable

    password = os.environ.get(_PASSWORD_VARIABLE)
    if password is None:
        password = typer.prompt(
            f"Password of MySQL user {user}", default="", hide_input=True, show_default=False
        )
    server = MySqlServer(host, port, user, password, mysql_database, table)
    run_import(context, MySqlTable(server), dry_run=dry_run, json=json)
