"""``zoho-mongo-store import``: one sub-command for each kind of source."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.options import JsonOption
from zoho_mongo_store.commands.passwords import ask_password

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_PASSWORD_VARIABLE = "ZOHO_MYSQL_PASSWORD"  # noqa: S105 - a variable's name
_SOURCE = "Source"

DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Report what would be done, and whether the role may do it. Write nothing.",
    ),
]
IgnoredColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore-column",
        metavar="NAME",
        help="Leave out a column for which a token has no field. Can be repeated. Without it, a "
        "value in such a column is an error.",
    ),
]
SourceFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, readable=True, help="The file to read."
    ),
]


def import_commands() -> typer.Typer:
    """Return the sub-commands of ``import``."""
    app = typer.Typer(
        name="import",
        no_args_is_help=True,
        help="Import tokens from another store. They keep their ids.\n\n"
        "You can run an import again at any time, even while the application is running: a stored "
        "token is replaced only by one that expires later; otherwise only its missing fields are "
        "filled in. If several rows belong to one user, the one that expires last is imported. "
        "Columns are found by name, in any order. Damaged rows are reported and skipped; the "
        "command then exits with status 1.",
    )
    for command in (import_filestore, import_mysql, import_sqlite, import_jsonl):
        app.command(command.__name__.removeprefix("import_"))(command)
    return app


@connected
def import_filestore(
    context: "CommandContext",
    file: SourceFile,
    ignore_column: IgnoredColumns = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """From a file of the SDK's FileStore, even if a spreadsheet or an editor has changed it."""
    from zoho_mongo_store.commands.import_run import run_import
    from zoho_mongo_store.transfer.filestore import FileStoreFile

    source = FileStoreFile(file, ignored_columns=ignore_column or ())
    run_import(context, source, dry_run=dry_run, json=json)


@connected
def import_jsonl(
    context: "CommandContext",
    file: SourceFile,
    ignore_column: IgnoredColumns = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """From JSON lines, such as export --show-secrets writes."""
    from zoho_mongo_store.commands.import_run import run_import
    from zoho_mongo_store.transfer.json_lines import JsonLinesFile

    source = JsonLinesFile(file, ignored_columns=ignore_column or ())
    run_import(context, source, dry_run=dry_run, json=json)


@connected
def import_sqlite(
    context: "CommandContext",
    file: SourceFile,
    table: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the table.", rich_help_panel=_SOURCE)
    ] = "oauthtoken",
    ignore_column: IgnoredColumns = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """From the SQLite file of Zoho's sample store, such as zohooauth.db."""
    from zoho_mongo_store.commands.import_run import run_import
    from zoho_mongo_store.transfer.sqlite_table import SqliteTable

    source = SqliteTable(file, table, ignored_columns=ignore_column or ())
    run_import(context, source, dry_run=dry_run, json=json)


@connected
def import_mysql(
    context: "CommandContext",
    host: Annotated[
        str, typer.Option(metavar="HOST", help="MySQL host.", rich_help_panel=_SOURCE)
    ] = "localhost",
    port: Annotated[
        int, typer.Option(metavar="PORT", help="MySQL port.", rich_help_panel=_SOURCE)
    ] = 3306,
    user: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"MySQL user. The password is read from {_PASSWORD_VARIABLE}, or asked for.",
            rich_help_panel=_SOURCE,
        ),
    ] = "root",
    mysql_database: Annotated[
        str, typer.Option(metavar="NAME", help="MySQL database.", rich_help_panel=_SOURCE)
    ] = "zohooauth",
    table: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the table.", rich_help_panel=_SOURCE)
    ] = "oauthtoken",
    ignore_column: IgnoredColumns = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """From the MySQL table of the SDK's DBStore. The defaults are those of DBStore.

    It needs the extra mysql: pip install 'zoho-mongo-store[mysql]'.
    """
    from zoho_mongo_store.commands.import_run import run_import
    from zoho_mongo_store.transfer.mysql_table import MySqlServer, MySqlTable, require_connector

    require_connector()
    password = os.environ.get(_PASSWORD_VARIABLE)
    if password is None:
        password = ask_password(f"Password of MySQL user {user}: ")
    server = MySqlServer(host, port, user, password, mysql_database, table)
    source = MySqlTable(server, ignored_columns=ignore_column or ())
    run_import(context, source, dry_run=dry_run, json=json)
