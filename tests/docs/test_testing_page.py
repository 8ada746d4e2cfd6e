"""The files of the page about tests, in runs of pytest of their own."""

import sys

import pytest

from tests.docs.pages import DOCS, Block, blocks
from tests.engines import SERVERS, Engine

PAGE = DOCS / "guides" / "testing.md"
FILES = {block.title: block for block in blocks(PAGE.read_text()) if block.title}
MOCK, SERVER = "conftest.py", "conftest.py on a server"
PROGRAM = "outage.py"
MODULES = {title: block for title, block in FILES.items() if title not in (MOCK, SERVER, PROGRAM)}
# Those that store tokens, and need nothing else of a MongoDB.
TESTS_OF_ANY_STORE = ["test_contacts.py", "test_start.py", "test_login.py", "test_students.py"]

pytest_plugins = ["pytester"]


def write(pytester: pytest.Pytester, files: dict[str, Block]) -> None:
    for title, block in files.items():
        (pytester.path / title).write_text(block.text)


def count(*titles: str) -> int:
    """How many tests the files have."""
    return sum(FILES[title].text.count("def test_") for title in titles)


def test_every_block_is_a_file_that_is_run() -> None:
    untitled = [block.language for block in blocks(PAGE.read_text()) if not block.title]

    assert untitled == ["sh"]
    assert {MOCK, SERVER, PROGRAM} < set(FILES)
    assert {title for title in MODULES if not title.startswith("test_")} == {"contacts.py"}


def test_the_first_test_has_ten_lines() -> None:
    assert len(FILES["test_contacts.py"].text.splitlines()) <= 10


def test_the_tests_pass(pytester: pytest.Pytester) -> None:
    write(pytester, MODULES)
    tests = [title for title in MODULES if title.startswith("test_")]

    result = pytester.runpytest_subprocess("-n2", "--dist=loadfile")

    result.assert_outcomes(passed=count(*tests), warnings=0)


def test_the_tests_pass_without_a_mongod(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOHO_MONGO_MONGOD", str(pytester.path / "none"))
    write(pytester, {**MODULES, MOCK: FILES[MOCK]})

    result = pytester.runpytest_subprocess(*TESTS_OF_ANY_STORE)

    result.assert_outcomes(passed=count(*TESTS_OF_ANY_STORE), warnings=0)


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_the_tests_pass_on_a_server_that_runs(
    pytester: pytest.Pytester, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(engine.client.list_database_names())
    monkeypatch.setenv("ZOHO_MONGO_MONGOD", str(pytester.path / "none"))
    monkeypatch.setenv("TEST_MONGODB_URI", engine.uri)
    write(pytester, MODULES)
    (pytester.path / "conftest.py").write_text(FILES[SERVER].text)

    result = pytester.runpytest_subprocess("test_contacts.py")

    result.assert_outcomes(passed=1, warnings=0)
    assert set(engine.client.list_database_names()) == before


def test_the_program_runs(pytester: pytest.Pytester) -> None:
    write(pytester, {PROGRAM: FILES[PROGRAM]})

    ran = pytester.run(sys.executable, PROGRAM, timeout=120)

    assert ran.ret == 0, ran.errlines
