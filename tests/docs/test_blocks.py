"""Every command and block of code in README and docs/ runs, page by page."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import markdown
import pytest
from pymongo import MongoClient

from tests.docs.pages import FENCE, PAGES, name_of
from tests.docs.reader import Reader, assert_shown
from tests.engines import Engine
from tests.refresh.callers import Fleet


@pytest.fixture
def engine(running_engines: Callable[[str], Engine]) -> Engine:
    return running_engines("mongodb")


@pytest.fixture
def uri(
    engine: Engine,
    database: str,
    fleet: Fleet,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Of a database of the page's own, with the token of a user."""
    fleet.stored(user_name="ada@example.com:10001")
    monkeypatch.setenv("ZOHO_GRANT_TOKEN", fleet.zoho.grant())
    return engine.uri_of(database)


@pytest.fixture
def reader_of(
    uri: str, page_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path], Reader]]:
    """Makes readers, and closes every client that a page leaves open."""
    clients: list[MongoClient[Any]] = []
    construct = MongoClient.__init__

    def constructed(client: MongoClient[Any], *arguments: Any, **options: Any) -> None:
        clients.append(client)
        construct(client, *arguments, **options)

    monkeypatch.setattr(MongoClient, "__init__", constructed)
    readers: list[Reader] = []

    def make(page: Path) -> Reader:
        readers.append(Reader(page, page_folder, uri))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()
    for client in clients:
        client.close()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_of_the_page(page: Path, reader_of: Callable[[Path], Reader]) -> None:
    reader_of(page).read()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_block_of_the_page_is_overlooked(page: Path) -> None:
    text = page.read_text()
    extensions: list[Any] = ["pymdownx.superfences", "admonition", "pymdownx.tabbed", "md_in_html"]
    shown = markdown.markdown(text, extensions=extensions).count("<pre")

    assert shown == len(FENCE.findall(text))


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("```python\nraise ValueError('broken')\n```", "broken"),
        ("```sh\nzoho-mongo-store lists\n```", "No such command"),
        ("```sh\npip install 'zoho-mongo-store[crm9]'\n```", "no extra crm9"),
        ("```sh\nmake everything\n```", "No rule to make target"),
        ("```sh\necho one\n```\n\n```text\ntwo\n```", "'two' is not in"),
        ("```yaml\na: [\n```", "expected the node content"),
        ("```fortran\nend\n```", "nothing runs 'fortran'"),
        ("<!-- Run by tests/nobody.py. -->\n```python\n```", "there is no tests/nobody.py"),
        ("<!-- Run by tests/test_races.py. -->\n```python\n```", "does not read it"),
        ("*Not run by the tests: it needs AWS.*\n\n```sh\nif\n```", "syntax error"),
    ],
)
def test_what_is_wrong_in_a_page_is_found(
    block: str,
    complaint: str,
    reader_of: Callable[[Path], Reader],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = tmp_path / "wrong-page.md"
    page.write_text(f"# Wrong\n\n{block}\n")
    monkeypatch.setattr("tests.docs.reader.name_of", lambda page: page.name)

    with pytest.raises(Exception, match=re.escape(complaint)):
        reader_of(page).read()


def test_what_a_page_shows_may_leave_words_out() -> None:
    assert_shown("one ... three\nfour", "zero\none  two three\nfour five\n", "here")
