"""Whatever is in a file: rows with each value in its field, or a clear error."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transfer.shapes import NAMES, Shape, person, read
from zoho_mongo_store.transfer.filestore import FileStoreFile
from zoho_mongo_store.transfer.json_lines import JsonLinesFile
from zoho_mongo_store.transfer.rows import InvalidRow, Row, SourceError

MANY = settings(max_examples=300, deadline=None)
# What a cell of a user's name may be made of, but for white space at its ends.
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Zs", "Cs"))
USERS = st.text(LETTERS, min_size=1).filter(
    lambda name: name.lower() not in ("null", "none", "\\n")
)
SHAPES = st.builds(
    Shape,
    names=st.permutations(NAMES),
    header=st.sampled_from(
        [
            {},
            {name: name.upper() for name in NAMES},
            {"user_name": "user_mail", "redirect_uri": "redirect_url", "expiry_time": "expires_in"},
        ]
    ),
    delimiter=st.sampled_from([",", ";", "\t"]),
    line_end=st.sampled_from(["\n", "\r", "\r\n", "\r\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    padding=st.sampled_from(["", " "]),
)


def quoted(people: list[dict[str, str]]) -> list[dict[str, str]]:
    """The users with their names quoted where a cell needs it."""
    return [{**one, "user_name": '"' + one["user_name"].replace('"', '""') + '"'} for one in people]


@given(shape=SHAPES, users=st.lists(USERS, min_size=1, max_size=4))
@MANY
def test_every_shape_gives_each_value_in_its_field(shape: Shape, users: list[str]) -> None:
    people = [person(number, user_name=user) for number, user in enumerate(users, 1)]
    with tempfile.TemporaryDirectory() as folder:
        assert read(Path(folder) / "t", shape.bytes(quoted(people))) == people


@given(
    content=st.binary()
    | st.builds(bytes.__add__, st.just(Shape().bytes([])), st.binary())
    | st.builds(str.encode, st.text(st.sampled_from('id,;\t\r\n "1000.aé=[{}\0')))
)
@MANY
def test_whatever_bytes_are_rows_or_a_clear_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t"
        path.write_bytes(content)
        for source in (FileStoreFile(path), JsonLinesFile(path)):
            try:
                rows = list(source.rows())
            except SourceError:
                continue
            assert all(isinstance(row, Row | InvalidRow) for row in rows)
            assert all(row.reason for row in rows if isinstance(row, InvalidRow))


USUAL = [
    Shape(),
    Shape(line_end="\n"),
    Shape(quote='"'),
    Shape(trailing=","),
    Shape(names=NAMES[:9]),
]
# Of these a row may lack any, and of each other cell none.
OPTIONAL = ("user_name", "grant_token", "expiry_time", "redirect_uri", "api_domain")


@given(
    shape=SHAPES | st.sampled_from(USUAL),
    absent=st.lists(st.sets(st.sampled_from(OPTIONAL)), min_size=3, max_size=3),
    data=st.data(),
)
@MANY
def test_damage_gives_no_value_in_another_field(
    shape: Shape, absent: list[set[str]], data: st.DataObject
) -> None:
    """Pieces are cut out, repeated, or replaced by line breaks, NULs or whatever bytes: a value in
    a field is one that was there, or a part of it, and never another field's."""
    people = [person(number, **dict.fromkeys(names, "")) for number, names in enumerate(absent, 1)]
    content = shape.bytes(people)
    start = data.draw(st.integers(len(shape.bytes([])), len(content)))
    end = data.draw(st.integers(start, min(start + 60, len(content))))
    piece = data.draw(
        st.sampled_from([b"", b"\n", b"\r\n", b"\0\0\0", b'"', content[start:end] * 2])
        | st.binary(max_size=8)
    )
    with tempfile.TemporaryDirectory() as folder:
        rows = read(Path(folder) / "t", content[:start] + piece + content[end:])
    for row in rows:
        if not isinstance(row, str):
            assert_own_values(row)


# What the value of a field begins with, and no value of another field does.
BEGINNINGS = {
    "user_name": "user",
    "client_id": "1000.CLIENT",
    "client_secret": "secret",
    "refresh_token": "1000.REFRESH",
    "access_token": "1000.ACCESS",
    "grant_token": "1000.GRANT",
    "redirect_uri": "https://app",
    "api_domain": "https://www",
}


def assert_own_values(row: Mapping[str, str]) -> None:
    for name, value in row.items():
        if name in BEGINNINGS:
            own = BEGINNINGS[name]
            others = [one for other, one in BEGINNINGS.items() if other != name]
            assert not value.startswith(tuple(others)) or value.startswith(own), (name, row)
