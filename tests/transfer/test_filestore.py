"""The file of the SDK's FileStore, read and written."""

import csv
import io
from pathlib import Path

import pytest

from tests.tokens import contents, full, make_token
from tests.transfer.sources import FILESTORE_HEADER, cut_to_nine, with_filestore
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.token import to_document
from zoho_mongo_store.transfer.filestore import FileStoreFile, write_filestore
from zoho_mongo_store.transfer.rows import InvalidRow, Row
from zoho_mongo_store.transfer.text_lines import LONGEST_LINE

GOOD = "1,ada,id,secret,R,A,,1795529348123,,"
SECRET = "1000.do-not-show"
NOON = "1795529348123"
APP = "https://app.example/callback"


def written(path: Path, *lines: str | bytes) -> FileStoreFile:
    encoded = [line if isinstance(line, bytes) else line.encode() for line in lines]
    path.write_bytes(b"\r\n".join([",".join(FILESTORE_HEADER).encode(), *encoded, b""]))
    return FileStoreFile(path)


def documents(source: FileStoreFile) -> list[Document]:
    rows = list(source.rows())
    assert all(isinstance(row, Row) for row in rows)
    return [row.document for row in rows if isinstance(row, Row)]


def test_what_the_sdk_wrote_is_read(tmp_path: Path) -> None:
    tokens = [
        full(user_name="ada", refresh_token="R1"),
        make_token(user_name='gr"ace,\u00e9', access_token="A2", expires_in="1795529348123"),
        make_token(refresh_token="R3", client_id="c", client_secret="s"),
    ]
    path = with_filestore(tmp_path / "tokens.csv", tokens)
    source = FileStoreFile(path)

    assert [token.get_id() for token in tokens] == ["1", "2", "3"]
    assert documents(source) == [to_document(token) for token in tokens]
    assert [row.line for row in source.rows()] == [2, 3, 4]
    assert "expiry_time" not in documents(source)[2]  # The SDK wrote "".


def test_nine_columns_are_read(tmp_path: Path) -> None:
    token = full()
    path = cut_to_nine(with_filestore(tmp_path / "tokens.csv", [token]))
    token.set_api_domain(None)
    assert documents(FileStoreFile(path)) == [to_document(token)]


def test_rows_can_be_read_again(tmp_path: Path) -> None:
    source = written(tmp_path / "tokens.csv", GOOD, "broken", GOOD)
    assert list(source.rows()) == list(source.rows())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,ada,id,secret,R,A,,1795529348123", "it has 8 columns, not 10"),
        ("1,ada,id,sec", "it has 4 columns, not 10"),
        (GOOD + ",x", "it has 11 columns, not 10"),
        (f"1,ada,id,secret,R,A,,{NOON},h{NOON},https://app.example,", "it has 11 columns, not 10"),
        (f"1,ada,id,secret,R,A,,{NOON},{APP},{APP},", "it has 11 columns, not 10"),
        (f'1,"ada,id,{SECRET},R,A,,1795529348123,,', "quotation marks do not match"),
        (f"1,ada,id,secret,R,A,,{SECRET},,", "expires_in must be epoch milliseconds"),
        ("1,ada,id,secret,R,A,,9999999999999999,,", "expires_in must be epoch milliseconds"),
        ("1,ada,id,secret,,,,1795529348123,,", "no access, refresh or grant token"),
        (f"1,ada,id,{SECRET}".encode() + b"\xff,R,A,,1795529348123,,", "client_secret contains"),
        (f"1,ada,id,{SECRET}".encode() + b"\x81,R,A,,,,", "neither UTF-8 nor Latin-1"),
        ("1," + "x" * LONGEST_LINE, "longer than the maximum size"),
    ],
)
def test_a_damaged_line_is_told_and_the_others_are_read(
    tmp_path: Path, line: str | bytes, reason: str
) -> None:
    before, damage, after = written(tmp_path / "tokens.csv", GOOD, line, GOOD).rows()

    assert isinstance(damage, InvalidRow)
    assert damage.line == 3
    assert reason in damage.reason
    assert SECRET not in damage.reason
    assert isinstance(before, Row)
    assert isinstance(after, Row)
    assert (before.line, after.line) == (2, 4)


def test_empty_lines_are_no_rows(tmp_path: Path) -> None:
    rows = list(written(tmp_path / "tokens.csv", "", GOOD, "", "").rows())
    assert [row.line for row in rows] == [3]


def test_an_expiry_without_an_access_token_is_dropped(tmp_path: Path) -> None:
    [document] = documents(written(tmp_path / "t.csv", "1,ada,id,secret,R,,,1795529348123,,"))
    assert "expiry_time" not in document


def test_the_sdk_reads_what_is_written(tmp_path: Path) -> None:
    from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore

    tokens = [full(id="a1", user_name='ad"a,'), make_token(id="b2", access_token="A")]
    path = tmp_path / "tokens.csv"
    with path.open("w", newline="") as stream:
        write_filestore([to_document(token) for token in tokens], stream)
    store = FileStore(str(path))
    assert [contents(token) for token in store.get_tokens()] == [contents(one) for one in tokens]


def test_the_sdk_adds_a_user_to_a_renumbered_file(tmp_path: Path) -> None:
    from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore

    path = tmp_path / "tokens.csv"
    with path.open("w", newline="") as stream:
        documents = [to_document(full(id="a1")), to_document(make_token(id="b2", access_token="A"))]
        write_filestore(documents, stream, renumber=True)
    grace = full(user_name="grace", refresh_token="R9", access_token="A9", grant_token="G9")
    FileStore(str(path)).save_token(grace)
    assert grace.get_id() == "3"


def test_the_header_is_the_sdks(tmp_path: Path) -> None:
    path = with_filestore(tmp_path / "tokens.csv", [])
    stream = io.StringIO()
    write_filestore([], stream)
    assert list(csv.reader([stream.getvalue().strip()])) == list(csv.reader([path.read_text()]))
