"""JSON lines and the SQLite table."""

import io
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.tokens import full, make_token
from tests.transfer.sources import as_sqlite, sqlite_table, with_filestore
from zoho_mongo_store.model.document import SECRET_FIELDS, expiry_date, now
from zoho_mongo_store.model.token import to_document
from zoho_mongo_store.transfer.columns import COLUMNS
from zoho_mongo_store.transfer.json_lines import JsonLinesFile, write_json_lines
from zoho_mongo_store.transfer.rows import InvalidRow, Row, SourceError
from zoho_mongo_store.transfer.sqlite_table import SqliteTable


def test_json_lines_come_back_as_they_were(tmp_path: Path) -> None:
    documents = [
        to_document(full(id="1", user_name="ad\u00e9 \u2028 :1")),
        to_document(make_token(id="2", refresh_token="R", client_id="c", client_secret="s")),
    ]
    path = tmp_path / "tokens.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        stored = [{**one, "created_at": now(), "updated_at": now()} for one in documents]
        write_json_lines(stored, stream, with_secrets=True)

    assert list(JsonLinesFile(path).rows()) == [Row(1, documents[0]), Row(2, documents[1])]


def test_an_inventory_holds_no_secret_and_no_token(tmp_path: Path) -> None:
    stream = io.StringIO()
    write_json_lines([to_document(full(id="1"))], stream)

    assert not set(json.loads(stream.getvalue())) & set(SECRET_FIELDS)
    path = tmp_path / "inventory.jsonl"
    path.write_text(stream.getvalue())
    [row] = JsonLinesFile(path).rows()
    assert isinstance(row, InvalidRow)
    assert "no access, refresh or grant token" in row.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "1", "access_token": "A"', "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ('["id"]', "not a JSON object"),
        ('{"id": true, "access_token": "A"}', "id must be a string, not bool"),
        ('{"id": "1", "access_token": {"$gt": ""}}', "access_token must be a string, not dict"),
        ('{"id": "1", "user_name": ["x"], "access_token": "A"}', "user_name must be a string"),
        ('{"id": "1", "access_token": "A", "expiry_time": 1.5}', "expires_in must be a string"),
        ('{"id": "1", "access_token": "A", "expiry_time": 1.89346E+12}', "by a spreadsheet"),
        (
            '{"id": "1", "access_token": "A", "accessToken": "B"}',
            "different values of access_token",
        ),
        ('{"id": "1", "refresh_token": "R", "grant_token": "\\ud800"}', "lone surrogate"),
    ],
)
def test_a_damaged_json_line_is_told(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "tokens.jsonl"
    path.write_text(line + '\n{"id": "2", "access_token": "A"}\n')
    damage, row = JsonLinesFile(path).rows()
    assert isinstance(damage, InvalidRow)
    assert (damage.line, reason in damage.reason) == (1, True), damage
    assert row == Row(2, {"id": "2", "access_token": "A"})


def test_the_sqlite_table_is_read(tmp_path: Path) -> None:
    token = full(user_name="ada")
    path = with_filestore(tmp_path / "tokens.csv", [token])
    database = as_sqlite(path, tmp_path / "zohooauth.db")
    assert list(SqliteTable(database).rows()) == [Row(1, to_document(token))]


def test_a_table_without_the_api_domain_is_read(tmp_path: Path) -> None:
    token = full(user_name="ada")
    path = with_filestore(tmp_path / "tokens.csv", [token])
    database = as_sqlite(path, tmp_path / "zohooauth.db", COLUMNS[:9])
    token.set_api_domain(None)
    assert list(SqliteTable(database).rows()) == [Row(1, to_document(token))]


def test_numbers_in_a_table_are_read_as_the_sdk_reads_them(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "zohooauth.db") as database:
        database.execute("CREATE TABLE oauthtoken (id, refresh_token, access_token, expiry_time)")
        database.execute("INSERT INTO oauthtoken VALUES (7, NULL, 'A', 1795529348123)")
    database.close()
    [row] = SqliteTable(tmp_path / "zohooauth.db").rows()
    expected = to_document(make_token(id="7", access_token="A", expires_in="1795529348123"))
    assert row == Row(1, expected)


def json_rows(path: Path, *objects: Mapping[str, object]) -> list[Row | InvalidRow]:
    path.write_text("".join(json.dumps(one) + "\n" for one in objects))
    return list(JsonLinesFile(path).rows())


def test_json_lines_with_the_names_of_the_sdk(tmp_path: Path) -> None:
    """A token's own names (oauth_token.py), those of SDK 2, and numbers."""
    own = {"id": 1, "user_mail": "ada", "access_token": "A", "expires_in": 1_893_456_000_000}
    other = {"accessToken": "B", "redirect_uri": "https://x", "expires_in": "1893456000"}
    [first, second] = json_rows(tmp_path / "tokens.jsonl", own, {**other, "clientId": None})
    expiry = expiry_date("1893456000000")
    assert first == Row(
        1, {"id": "1", "user_name": "ada", "access_token": "A", "expiry_time": expiry}
    )
    assert second == Row(
        2, {"access_token": "B", "redirect_url": "https://x", "expiry_time": expiry}
    )


def test_a_value_without_a_field_is_an_error_in_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "tokens.jsonl"
    row = {"id": "1", "access_token": "A", "scope": None, "updated_at": "2026-01-01"}
    assert len(json_rows(path, row)) == 1
    values: list[object] = ["x", 0, False, [], {"a": 1}]
    for value in values:
        with pytest.raises(SourceError, match="in the column scope: nothing was imported"):
            json_rows(path, row, {**row, "scope": value})
        [_, ignored] = JsonLinesFile(path, ignored_columns=["scope"]).rows()
        assert ignored == Row(2, {"id": "1", "access_token": "A"})


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("", "is empty"),
        ('[{"id": "1"}]', "is a JSON array: write one object per line"),
        ('{"tokens": []}', "token file of the Node SDK"),
    ],
)
def test_other_json_files_are_said_by_their_names(tmp_path: Path, content: str, kind: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content)
    with pytest.raises(SourceError, match=kind):
        list(JsonLinesFile(path).rows())


def test_a_table_of_sdk_2_loses_no_field(tmp_path: Path) -> None:
    path = sqlite_table(
        tmp_path / "zohooauth.db",
        ID=7,
        user_mail=" ada ",
        access_token=b"A",
        refresh_token="NULL",
        grant_token=None,
        expiry_time=1893456000000.0,
        redirect_uri="https://x",
    )
    assert list(SqliteTable(path).rows()) == [
        Row(
            1,
            {
                "id": "7",
                "user_name": "ada",
                "access_token": "A",
                "expiry_time": expiry_date("1893456000000"),
                "redirect_url": "https://x",
            },
        )
    ]


def test_a_value_without_a_field_is_an_error_in_a_table(tmp_path: Path) -> None:
    path = tmp_path / "zohooauth.db"
    sqlite_table(path, id="1", access_token="A", scope="x")
    with pytest.raises(SourceError, match="in the column scope: nothing was imported"):
        list(SqliteTable(path).rows())
    assert len(list(SqliteTable(path, ignored_columns=["scope"]).rows())) == 1
    sqlite_table(path, id="1", access_token="A", scope=None)
    assert len(list(SqliteTable(path).rows())) == 1


def test_a_text_that_is_not_utf_8_is_damage_and_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "zohooauth.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE oauthtoken (id, access_token)")
        database.execute("INSERT INTO oauthtoken VALUES ('1', CAST(x'736563726574ff' AS TEXT))")
        database.execute("INSERT INTO oauthtoken VALUES ('2', 'A')")
    database.close()
    damage, row = SqliteTable(path).rows()
    assert isinstance(damage, InvalidRow)
    assert "secret" not in damage.reason
    assert row == Row(2, {"id": "2", "access_token": "A"})


def test_a_table_that_is_not_the_sdks_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "zohooauth.db"
    sqlite_table(path, useridentifier="ada", accesstoken="A", refreshtoken="R", expirytime=1)
    with pytest.raises(SourceError, match="one of SDK 1"):
        list(SqliteTable(path).rows())
    sqlite_table(path, id="1", colour="red")
    with pytest.raises(SourceError, match="no column refresh_token, access_token or grant_token"):
        list(SqliteTable(path).rows())


def test_what_is_no_such_database_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("no database " * 100)
    with pytest.raises(SourceError, match="not a database"):
        list(SqliteTable(text).rows())
    with pytest.raises(SourceError, match="no such file"):
        list(SqliteTable(tmp_path / "missing.db").rows())
    assert not (tmp_path / "missing.db").exists()
    path = as_sqlite(with_filestore(tmp_path / "tokens.csv", []), tmp_path / "zohooauth.db")
    with pytest.raises(SourceError, match="no such table"):
        list(SqliteTable(path, "other").rows())
    with pytest.raises(SourceError, match="name must consist of"):
        SqliteTable(path, 'x" --')
