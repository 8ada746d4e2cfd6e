"""Files that spreadsheets, editors, upgrades and power failures make of a FileStore file."""

import random
from pathlib import Path

import pytest

from tests.transfer.shapes import DAMAGED, NAMES, Shape, person, read
from zoho_mongo_store.transfer.filestore import FileStoreFile
from zoho_mongo_store.transfer.rows import InvalidRow, Row, SourceError

PEOPLE = [person(1), person(2)]
NINE = NAMES[:9]


def without(cells: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in cells.items() if name not in names}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.txt"


@pytest.mark.parametrize("seed", range(5))
def test_columns_are_found_by_their_names_in_any_order(path: Path, seed: int) -> None:
    names = random.Random(seed).sample(NAMES, len(NAMES))
    assert read(path, Shape(names=names).text(PEOPLE)) == PEOPLE


@pytest.mark.parametrize(
    "shape",
    [
        Shape(header={name: name.upper() for name in NAMES}),
        Shape(header={name: name.replace("_", " ").title() for name in NAMES}),
        Shape(header={"refresh_token": "refreshToken", "expiry_time": "expiryTime"}),
        Shape(header={"user_name": "user_mail", "redirect_uri": "redirect_url"}),
        Shape(header={"expiry_time": "expires_in"}),
        Shape(padding=" "),
        Shape(padding="\t"),
        Shape(quote='"'),
        Shape(quote='"', padding=" "),
        Shape(trailing=","),
        Shape(delimiter=";"),
        Shape(delimiter=";", quote='"', trailing=";"),
        Shape(delimiter="\t"),
        Shape(line_end="\r"),
        Shape(line_end="\n"),
        Shape(line_end="\r\r\n"),
        Shape(line_end="\n\n"),
        Shape(encoding="utf-8-sig"),
        Shape(encoding="utf-16"),
        Shape(encoding="utf-16-le"),
        Shape(encoding="utf-16-be", line_end="\n"),
    ],
    ids=str,
)
def test_each_value_gets_into_its_field(path: Path, shape: Shape) -> None:
    assert read(path, shape.bytes(PEOPLE)) == PEOPLE


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n", "\r\r\n"])
def test_lines_are_numbered_as_an_editor_numbers_them(path: Path, line_end: str) -> None:
    path.write_bytes(Shape(line_end=line_end).bytes(PEOPLE))
    assert [row.line for row in FileStoreFile(path).rows()] == [2, 3]


def test_a_separator_line_of_a_spreadsheet_is_no_header(path: Path) -> None:
    assert read(path, "sep=;\r\n" + Shape(delimiter=";").text(PEOPLE)) == PEOPLE


def test_joined_files_are_read_by_their_own_headers(path: Path) -> None:
    other = Shape(names=tuple(reversed(NAMES)))
    assert read(path, Shape().text(PEOPLE[:1]) + other.text(PEOPLE[1:])) == PEOPLE


def test_rows_of_nine_cells_under_a_header_of_ten(path: Path) -> None:
    shape = Shape()
    nine = shape.line(PEOPLE[1][name] for name in NINE)
    content = f"{shape.text(PEOPLE[:1])}{nine}\r\n"
    assert read(path, content) == [PEOPLE[0], without(PEOPLE[1], "api_domain")]


def test_rows_of_ten_cells_under_a_header_of_nine(path: Path) -> None:
    shape = Shape()
    rows = "".join(f"{shape.line(cells.values())}\r\n" for cells in PEOPLE)
    content = f"{shape.line(NINE)}\r\n{rows}{shape.line(PEOPLE[0][name] for name in NINE)}\r\n"
    assert read(path, content) == [*PEOPLE, without(PEOPLE[0], "api_domain")]


def test_a_tenth_cell_that_is_no_url_is_not_guessed(path: Path) -> None:
    shape = Shape(names=NINE)
    content = shape.text([]) + shape.line([*PEOPLE[0].values()][:9]) + ",1000.extra\r\n"
    assert read(path, content) == [DAMAGED]


@pytest.mark.parametrize("word", ["NULL", "None", "null", "\\N", ""])
def test_words_for_nothing_are_absent_fields(path: Path, word: str) -> None:
    absent = ("user_name", "grant_token", "expiry_time", "redirect_uri", "api_domain")
    row = {name: word if name in absent else value for name, value in PEOPLE[0].items()}
    assert read(path, Shape().text([row])) == [without(PEOPLE[0], *absent)]


@pytest.mark.parametrize("written", ["1893456000", "1893456000000", "1893456000000.0"])
def test_an_expiry_in_seconds_is_the_same_moment(path: Path, written: str) -> None:
    [row] = read(path, Shape().text([person(1, expiry_time=written)]))
    assert row == person(1, expiry_time="1893456000000")


@pytest.mark.parametrize("written", ["1.89346E+12", "1,89346E+12", "1.9e12", "2E+12"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_an_expiry_that_was_rounded_is_not_guessed(
    path: Path, written: str, delimiter: str
) -> None:
    path.write_text(Shape(delimiter=delimiter).text([person(1, expiry_time=written), person(2)]))
    damaged, row = FileStoreFile(path).rows()
    assert isinstance(damaged, InvalidRow)
    assert "rounded by a spreadsheet" in damaged.reason
    assert isinstance(row, Row)


def test_latin_1_is_taken_with_a_warning(path: Path) -> None:
    text = Shape().text([person(1, user_name="Jos\u00e9"), person(2)])
    path.write_bytes(text.encode("latin-1"))
    first, second = FileStoreFile(path).rows()
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert first.document["user_name"] == "Jos\u00e9"
    assert "read as Latin-1" in first.warning
    assert second.warning == ""


@pytest.mark.parametrize("name", [name for name in NAMES if name != "user_name"])
def test_latin_1_in_a_credential_is_damage(path: Path, name: str) -> None:
    text = Shape().text([person(1, **{name: f"{person(1)[name]}\u00e9"}), person(2)])
    assert read(path, text.encode("latin-1")) == [DAMAGED, person(2)]


def test_a_line_break_in_a_value_damages_its_row_alone(path: Path) -> None:
    broken = person(1, user_name="ada\n@example.com")
    quoted = Shape(quote='"').text([broken, person(2)])
    assert [one for one in read(path, quoted) if one != DAMAGED] == [person(2)]
    # The second half has nine cells, as many as a row from before the API domain.
    assert [one for one in read(path, Shape().text([broken, person(2)])) if one != DAMAGED] == [
        person(2)
    ]


def test_nul_bytes_damage_their_line_alone(path: Path) -> None:
    content = Shape().bytes(PEOPLE)
    assert read(path, content + bytes(64)) == [*PEOPLE, DAMAGED]
    assert read(path, content.replace(b"REFRESH1", bytes(8))) == [DAMAGED, PEOPLE[1]]


def test_a_file_that_was_cut_off_gives_no_wrong_value(path: Path) -> None:
    """At each byte: the rows before are whole, and the last is whole, damaged or has a warning."""
    whole = Shape().bytes(PEOPLE)
    start = len(Shape().bytes(PEOPLE[:1]))
    for end in range(start, len(whole) - 1):
        path.write_bytes(whole[:end])
        first, *rest = FileStoreFile(path).rows()
        assert isinstance(first, Row)
        for row in rest:
            assert isinstance(row, InvalidRow) or "no line end" in row.warning
            if isinstance(row, Row):
                assert row.document["refresh_token"] == "1000.REFRESH2.r"
                assert row.document["redirect_url"] == PEOPLE[1]["redirect_uri"]


@pytest.mark.parametrize("missing", NAMES[:-1])
def test_values_that_moved_into_other_columns_are_damage(path: Path, missing: str) -> None:
    """A row of nine cells is no row of an old file if it is another cell that is missing."""
    shape = Shape()
    row = shape.line(without(PEOPLE[0], missing).values())
    assert read(path, f"{shape.text([])}{row}\r\n{shape.text(PEOPLE[1:])}") == [DAMAGED, PEOPLE[1]]


@pytest.mark.parametrize("lost", ["1,1000.REF", "CLIENT1,se", "cret1,1"])
def test_a_row_that_lost_a_piece_and_ends_empty_is_not_guessed(path: Path, lost: str) -> None:
    """It has nine cells as well, and no value that is plainly in another column."""
    absent = dict.fromkeys(("expiry_time", "redirect_uri", "api_domain"), "")
    content = Shape().text([person(1, **absent), person(2)])
    assert lost in content
    assert read(path, content.replace(lost, "")) == [DAMAGED, person(2)]


def test_a_row_with_a_cell_twice_that_ends_empty_is_not_guessed(path: Path) -> None:
    absent = dict.fromkeys(("expiry_time", "redirect_uri", "api_domain"), "")
    content = Shape().text([person(1, **absent), person(2)])
    assert read(path, content.replace("secret1,", "secret1,secret1,")) == [DAMAGED, person(2)]


def test_cells_left_over_that_are_empty_are_no_damage(path: Path) -> None:
    """As a spreadsheet leaves them in one row: the expiry shows that nothing has moved."""
    content = Shape().text(PEOPLE).replace("zohoapis.example1", "zohoapis.example1,,")
    assert read(path, content) == PEOPLE


def test_a_column_that_a_token_has_no_field_for_is_an_error(path: Path) -> None:
    shape = Shape(names=(*NAMES, "scope"))
    path.write_text(shape.text([person(1, scope=""), person(2, scope="ZohoCRM.modules.ALL")]))
    with pytest.raises(SourceError, match="in the column scope: nothing was imported") as caught:
        list(FileStoreFile(path).rows())
    assert "ZohoCRM" not in str(caught.value)
    ignoring = FileStoreFile(path, ignored_columns=["SCOPE"])
    assert all(isinstance(row, Row) for row in ignoring.rows())
    path.write_text(shape.text([person(1, scope=""), person(2, scope="NULL")]))
    assert all(isinstance(row, Row) for row in FileStoreFile(path).rows())


def test_what_may_be_a_value_is_not_shown_as_a_columns_name(path: Path) -> None:
    shape = Shape(names=(*NAMES, "1000.secret"))
    path.write_text(shape.text([person(1, **{"1000.secret": "x"})]))
    with pytest.raises(SourceError) as caught:
        list(FileStoreFile(path).rows())
    assert "1000.secret" not in str(caught.value)


def test_two_columns_for_one_field_have_to_agree(path: Path) -> None:
    shape = Shape(names=(*NAMES, "user_mail"))
    content = shape.text([person(1, user_mail=""), person(2, user_mail="other@example.com")])
    assert read(path, content) == [person(1), DAMAGED]


def test_the_blank_rows_of_an_upgraded_file_are_no_rows(path: Path) -> None:
    """FileStore adds a cell to each row of an old file, also to the blank ones (__init__)."""
    content = Shape().text(PEOPLE).replace("\r\n", '\r\n""\r\n') + ",,,,,,,,,\r\n"
    assert read(path, content) == PEOPLE


SDK_1 = "user_mail,client_id,refresh_token,access_token,grant_token,expiry_time"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "is empty"),
        (b"\r\n \r\n", "is empty"),
        (bytes(100), "only NUL bytes"),
        (f"{SDK_1}\r\nada@example.com,1000.C,1000.r,1000.a,,1893456000000\r\n".encode(), "SDK 1"),
        (b'{"tokens":[{"access_token":"1000.a"}]}', "token file of the Node SDK"),
        (b'{\n  "tokens" : []}', "token file of the Node SDK"),
        (b'{"id": "1", "access_token": "1000.a"}\n', "use import jsonl"),
        (b'[{"id": "1"}]', "use import jsonl"),
        (b'a:1:{i:0;O:29:"zcrmsdk\\oauth\\utility\\ZohoTok":1:{}}', "serialized by PHP"),
        (b"SQLite format 3\0" + bytes(84), "use import sqlite"),
        (b"PK\x03\x04" + bytes(60), "Excel workbook"),
        (b"\x80\x04\x95" + bytes(60), "Python pickle"),
        (b"\x1f\x8b\x08" + bytes(60), "gzip"),
        (Shape().bytes(PEOPLE).partition(b"\r\n")[2], "no line that names the columns"),
        (Shape(delimiter=";").bytes(PEOPLE).partition(b"\r\n")[2], "no line that names"),
        (b"hello\n", "does not name the columns"),
        (b"user,id,c,d,e\n", "does not name the columns"),
        (b'"id\n', "does not name the columns"),
        (bytes(3) + b"id,access_token\n1,1000.a\n", "does not name the columns"),
    ],
)
def test_what_is_another_file_is_said_by_its_name(path: Path, content: bytes, kind: str) -> None:
    path.write_bytes(content)
    with pytest.raises(SourceError, match=kind) as caught:
        list(FileStoreFile(path).rows())
    assert "1000." not in str(caught.value)


def test_rows_of_sdk_1_under_a_newer_header_are_named(path: Path) -> None:
    rows = "".join(f"ada@example.com,1000.C,1000.r{n},1000.a,1000.g,1893456000000\n" for n in "12")
    path.write_text(f"{','.join(NINE)}\n{rows}")
    assert ["row of SDK 1" in row.reason for row in invalid(path)] == [True, True]


def test_a_header_alone_has_no_rows(path: Path) -> None:
    assert read(path, Shape().text([])) == []


def invalid(path: Path) -> list[InvalidRow]:
    rows = list(FileStoreFile(path).rows())
    assert all(isinstance(row, InvalidRow) for row in rows)
    return [row for row in rows if isinstance(row, InvalidRow)]
