"""A MariaDB server for the SDK's DBStore: a child process in a temporary folder, on loopback."""

import contextlib
import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import mysql.connector

from benchmarks.rows import Row
from zoho_mongo_store.transfer.columns import COLUMNS

HOST = "127.0.0.1"
_START_SECONDS = 30.0
# As the SDK documents it, with room for longer credentials.
_TABLE = """create table oauthtoken (
    id varchar(10) not null primary key, user_name varchar(255), client_id varchar(255),
    client_secret varchar(255), refresh_token varchar(255), access_token varchar(255),
    grant_token varchar(255), expiry_time varchar(20), redirect_url varchar(255),
    api_domain varchar(255))"""
_INSERT = f"insert into oauthtoken values ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608
_ROWS_AT_ONCE = 1000


class UnavailableError(Exception):
    """Why there is no MariaDB here."""


@contextlib.contextmanager
def running() -> Iterator[int]:
    """The port of a server with MariaDB's default settings, for as long as the block lasts.

    Its user is root without a password.

    Raises:
        UnavailableError: It cannot be started.
    """
    install, serve = _program("mariadb-install-db"), _program("mariadbd")
    folder = Path(tempfile.mkdtemp(prefix="zoho-mongo-store-"))
    data, log, user = folder / "data", folder / "log", getpass.getuser()
    process: subprocess.Popen[bytes] | None = None
    try:
        with log.open("wb") as output:
            subprocess.run(
                [
                    *(install, "--no-defaults", f"--datadir={data}", f"--user={user}"),
                    *("--skip-test-db", "--auth-root-authentication-method=normal"),
                ],
                stdout=output,
                stderr=output,
                check=True,
            )
            port = _free_port()
            process = subprocess.Popen(
                [
                    *(serve, "--no-defaults", f"--datadir={data}", f"--user={user}"),
                    *(f"--socket={folder / 'socket'}", f"--bind-address={HOST}", f"--port={port}"),
                ],
                stdout=output,
                stderr=output,
            )
        _wait(port, process)
        yield port
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"mariadb-install-db failed: {log.read_text()[-500:]}") from error
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def version(port: int) -> str:
    """The server's."""
    with _connection(port) as connection:
        return str(connection.server_info).removeprefix("5.5.5-")


def load(port: int, database: str, rows: Iterable[Row]) -> None:
    """Make a database with the SDK's table, and insert rows."""
    with _connection(port) as connection, connection.cursor() as cursor:
        cursor.execute(f"create database {database}")
        cursor.execute(f"use {database}")
        cursor.execute(_TABLE)
        batch: list[list[str]] = []
        for row in rows:
            batch.append([row[name] for name in COLUMNS])
            if len(batch) == _ROWS_AT_ONCE:
                cursor.executemany(_INSERT, batch)
                batch.clear()
        if batch:
            cursor.executemany(_INSERT, batch)
        connection.commit()


def _program(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path is None:
        raise UnavailableError(f"{name} is not installed (Debian's package mariadb-server has it)")
    return path


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _connection(port).close()
            return
        except mysql.connector.Error as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise UnavailableError(f"mariadbd did not start: {error.msg}") from error
        time.sleep(0.1)


def _connection(port: int) -> Any:
    return mysql.connector.connect(host=HOST, port=port, user="root", password="")
