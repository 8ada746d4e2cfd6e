"""The table that the SDK's DBStore keeps, on a MariaDB of Debian's packages."""

import getpass
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.engines import SERVERS, Engine
from tests.processes import end
from tests.sdk.application import CLIENT, Application, call_api, name_of
from tests.tokens import full, make_token
from tests.transfer.sources import in_hours
from zoho_mongo_store.cli import application
from zoho_mongo_store.model.document import expiry_date
from zoho_mongo_store.model.token import to_document
from zoho_mongo_store.testing import LoopbackZoho
from zoho_mongo_store.transfer.mysql_table import MySqlServer, MySqlTable
from zoho_mongo_store.transfer.rows import InvalidRow, Row, SourceError

INSTALL = shutil.which("mariadb-install-db")
SERVER = shutil.which("mariadbd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
START_SECONDS = 60
# The table as the SDK's documentation has it made.
CREATE = (
    "CREATE TABLE oauthtoken (id varchar(10) NOT NULL, user_name varchar(255),"
    " client_id varchar(255), client_secret varchar(255), refresh_token varchar(255),"
    " access_token varchar(255), grant_token varchar(255), expiry_time varchar(20),"
    " redirect_url varchar(255), api_domain varchar(255), PRIMARY KEY (id))"
)


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MySqlServer]:
    """A MariaDB on a loopback port, with an empty table."""
    if INSTALL is None or SERVER is None:
        pytest.skip("MariaDB is not installed (apt-get install mariadb-server)")
    connector = pytest.importorskip("mysql.connector", reason="the extra mysql is not installed")
    data = tmp_path_factory.mktemp("mariadb")
    user = [f"--user={getpass.getuser()}"]
    options = ["--no-defaults", f"--datadir={data}", *user]
    root = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run([INSTALL, *options, *root], check=True, capture_output=True, timeout=120)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listening = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={data}/socket"]
    with subprocess.Popen(
        [SERVER, *options, *listening], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            execute(connector, port, "CREATE DATABASE zohooauth", "USE zohooauth", CREATE)
            yield MySqlServer(host="127.0.0.1", port=port)
        finally:
            end(process, 30)
    shutil.rmtree(data)


def execute(connector: Any, port: int, *statements: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = connector.connect(host="127.0.0.1", port=port, user="root", password="")
        except connector.Error:
            assert time.monotonic() < deadline, "MariaDB did not start"
            time.sleep(0.1)
        else:
            break
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    connection.commit()
    connection.close()


@pytest.fixture
def server(mariadb: MySqlServer) -> Iterator[MySqlServer]:
    """The server, its table emptied afterwards."""
    import mysql.connector

    yield mariadb
    execute(mysql.connector, mariadb.port, "DELETE FROM zohooauth.oauthtoken")


def test_what_the_sdk_stored_is_read(server: MySqlServer) -> None:
    from zohocrmsdk.src.com.zoho.api.authenticator.store import DBStore

    store = DBStore(host=server.host, port_number=str(server.port))
    tokens = [
        full(user_name="ad\u00e9", refresh_token="R1"),
        make_token(access_token="A2", expires_in="1795529348123"),
        make_token(user_name="grace", refresh_token="R3", client_id="c", client_secret="s"),
    ]
    for token in tokens:
        store.save_token(token)

    assert [token.get_id() for token in tokens] == ["1", "2", "3"]
    expected = [Row(line, to_document(token)) for line, token in enumerate(tokens, 1)]
    source = MySqlTable(server)
    assert list(source.rows()) == expected
    assert list(source.rows()) == expected


def test_a_table_of_sdk_2_loses_no_field(server: MySqlServer) -> None:
    """With its names, numbers, words for nothing, and a column that a token has no field for."""
    import mysql.connector

    create = (
        "CREATE TABLE zohooauth.sdk_2 (id int PRIMARY KEY, user_mail varchar(255),"
        " client_id varchar(255), refresh_token varchar(255), access_token varbinary(255),"
        " grant_token varchar(255), expiry_time bigint, redirect_uri text, scope varchar(255))"
    )
    insert = (
        "INSERT INTO zohooauth.sdk_2 VALUES"
        " (7, ' ada ', 'NULL', 'R', 'A', 'None', 1893456000000, 'https://x', {scope})"
    )
    source = server._replace(table="sdk_2")
    execute(mysql.connector, server.port, create, insert.format(scope="'ZohoCRM.modules.ALL'"))
    try:
        with pytest.raises(SourceError, match="in the column scope: nothing was imported") as error:
            list(MySqlTable(source).rows())
        assert "ZohoCRM" not in str(error.value)
        [row] = MySqlTable(source, ignored_columns=["scope"]).rows()
        execute(mysql.connector, server.port, "UPDATE zohooauth.sdk_2 SET scope = 'NULL'")
        assert list(MySqlTable(source).rows()) == [row]
    finally:
        execute(mysql.connector, server.port, "DROP TABLE zohooauth.sdk_2")

    expected = {
        "id": "7",
        "user_name": "ada",
        "refresh_token": "R",
        "access_token": "A",
        "expiry_time": expiry_date("1893456000000"),
        "redirect_url": "https://x",
    }
    assert row == Row(1, expected)


def test_a_row_without_a_credential_is_damage(server: MySqlServer) -> None:
    import mysql.connector

    insert = "INSERT INTO zohooauth.oauthtoken (id, user_name) VALUES ('1', 'ada')"
    execute(mysql.connector, server.port, insert)
    [row] = MySqlTable(server).rows()
    assert row == InvalidRow(1, "it has no access, refresh or grant token")


def test_reading_may_end_early(server: MySqlServer) -> None:
    import mysql.connector

    values = ", ".join(f"('{n}', 'A{n}')" for n in range(1000))
    insert = f"INSERT INTO zohooauth.oauthtoken (id, access_token) VALUES {values}"  # noqa: S608
    execute(mysql.connector, server.port, insert)
    rows = MySqlTable(server).rows()
    assert isinstance(next(rows), Row)
    rows.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": "not-to-be-shown"}, "Access denied"),
        ({"database": "other"}, "Unknown database"),
        ({"table": "other"}, "doesn't exist"),
        ({"port": 1}, "connect"),
    ],
)
def test_what_cannot_be_read_is_told(
    server: MySqlServer, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        list(MySqlTable(server._replace(**change)).rows())
    assert "not-to-be-shown" not in str(caught.value)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mysql", None)
    with pytest.raises(SourceError, match=r"pip install 'zoho-mongo-store\[mysql\]'"):
        list(MySqlTable(MySqlServer()).rows())


def test_the_tables_name_is_no_statement() -> None:
    with pytest.raises(SourceError, match="name must consist of"):
        MySqlTable(MySqlServer(table="oauthtoken`; DROP TABLE x; --"))


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_the_command_moves_the_table(
    server: MySqlServer, engine: Engine, database: str, zoho: LoopbackZoho, resource_path: str
) -> None:
    """And the real SDK goes on with it: by user name and by id, with nobody logging in."""
    from zohocrmsdk.src.com.zoho.api.authenticator.store import DBStore

    store = DBStore(host=server.host, port_number=str(server.port))
    for user in ("ada@example.com", "grace@example.com"):
        store.save_token(
            make_token(
                user_name=name_of(user),
                refresh_token=zoho.refresh_token(user),
                access_token=f"expired of {user}",
                expires_in=in_hours(-1),
                api_domain=zoho.url,
                **CLIENT,
            )
        )
    variables = {"ZOHO_MONGO_URI": engine.uri, "ZOHO_MONGO_DATABASE": database}
    result = CliRunner().invoke(
        application(),
        ["import", "mysql", "--host", server.host, "--port", str(server.port), "--json"],
        env={**variables, "ZOHO_MYSQL_PASSWORD": ""},
    )

    assert (result.exit_code, json.loads(result.stdout)["inserted"]) == (0, 2), result.stderr
    program = Application(zoho, {"uri": engine.uri, "database": database}, resource_path)
    by_name = program.run(call_api, {"user_name": name_of("ada@example.com"), **CLIENT})
    by_id = program.run(call_api, {"id": "2"})
    assert (by_name.users, by_id.users) == (["ada@example.com"], ["grace@example.com"])
    assert sorted(engine.client[database]["oauthtoken"].distinct("id")) == ["1", "2"]
