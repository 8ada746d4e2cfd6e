"""What tokens come from: made by the SDK's own stores, or from what those made, by program."""

import csv
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from zoho_mongo_store.model.document import expires_in_of
from zoho_mongo_store.sdk import OAuthToken
from zoho_mongo_store.transfer.columns import COLUMNS

FILESTORE_HEADER = [*COLUMNS[:8], "redirect_uri", "api_domain"]


def in_hours(hours: float) -> str:
    """The expiry of an access token, as the SDK keeps it."""
    return expires_in_of(datetime.now(UTC) + timedelta(hours=hours))


def with_filestore(path: Path, tokens: Iterable[OAuthToken]) -> Path:
    """The file that the SDK's FileStore makes of these tokens."""
    from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore

    store = FileStore(str(path))
    for token in tokens:
        store.save_token(token)
    return path


def cut_to_nine(path: Path) -> Path:
    """The same file without its last column, as FileStore wrote it before it knew API domains."""
    with path.open(newline="") as file:
        rows = [row[:9] for row in csv.reader(file)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def as_sqlite(filestore: Path, path: Path, columns: Iterable[str] = COLUMNS) -> Path:
    """The rows of a FileStore file in a table such as that of Zoho's sample store."""
    names = list(columns)
    with filestore.open(newline="") as file:
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in list(csv.reader(file))[1:]]
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE oauthtoken ({', '.join(names)})")
        marks = ", ".join("?" * len(names))
        cells: list[list[Any]] = [[row[name] or None for name in names] for row in rows]
        database.executemany(f"INSERT INTO oauthtoken VALUES ({marks})", cells)  # noqa: S608 - marks
    database.close()
    return path


def sqlite_table(path: Path, **columns: object) -> Path:
    """A table with one row of these values."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE oauthtoken ({', '.join(columns)})")
        marks = ", ".join("?" * len(columns))
        database.execute(f"INSERT INTO oauthtoken VALUES ({marks})", [*columns.values()])  # noqa: S608 - marks
    database.close()
    return path


def mode_of(path: Path) -> int:
    """The permission bits of a file."""
    return path.stat().st_mode & 0o777
