"""JSON lines and the SQLite table."""

import io
import json
from pathlib import Path

import pytest

from tests.tokens import full, make_token
from tests.transfer.sources import as_sqlite, with_filestore
from zoho_mongo_store.model.document import SECRET_FIELDS, now, to_document
from zoho_mongo_store.transfer.json_lines import JsonLinesFile, write_json_lines
from zoho_mongo_store.transfer.rows import COLUMNS, InvalidRow, Row, SourceError
from zoho_mongo_store.transfer.tables import SqliteTable


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
        ('{"id": 1, "access_token": "A"}', "id has to be a string, not int"),
        ('{"id": "1", "access_token": {"$gt": ""}}', "access_token has to be a string, not dict"),
        ('{"id": "1", "user_name": ["x"], "access_token": "A"}', "user_name has to be a string"),
        ('{"id": "1", "access_token": "A", "expiry_time": 1.5}', "expires_in has to be a string"),
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
    import sqlite3

    with sqlite3.connect(tmp_path / "zohooauth.db") as database:
        database.execute("CREATE TABLE oauthtoken (id, refresh_token, access_token, expiry_time)")
        database.execute("INSERT INTO oauthtoken VALUES (7, NULL, 'A', 1795529348123)")
    database.close()
    [row] = SqliteTable(tmp_path / "zohooauth.db").rows()
    expected = to_document(make_token(id="7", access_token="A", expires_in="1795529348123"))
    assert row == Row(1, expected)


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
    with pytest.raises(SourceError, match="name has to consist of"):
        SqliteTable(path, 'x" --')
