"""The pytest plugin, in runs of pytest of its own."""

from __future__ import annotations

import psutil
import pytest

pytest_plugins = ["pytester"]

HEAVY = ("pymongo", "zohocrmsdk", "werkzeug", "mongomock")
NO_MONGOD = "mongod_that_is_not_there"


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Runs pytest in processes of its own, whose temporary folders stand in ``temporary``."""
    folder = pytester.path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return pytester


def passed(result: pytest.RunResult, count: int) -> None:
    """Check that all tests passed, and without a warning."""
    result.assert_outcomes(passed=count, warnings=0)


def test_is_there_and_says_what_it_has(run: pytest.Pytester) -> None:
    listed = run.runpytest_subprocess("--fixtures")

    for fixture in ("loopback_zoho", "local_mongo", "mongo_token_store", "logged_in_token"):
        listed.stdout.fnmatch_lines([f"{fixture}*-- *zoho_mongo_store/testing/plugin.py:*"])


def test_a_run_without_its_fixtures_imports_nothing_heavy(run: pytest.Pytester) -> None:
    run.makepyfile(
        f"""
        import sys

        def test_nothing_is_imported():
            assert "zoho_mongo_store.testing.plugin" in sys.modules
            assert set({HEAVY!r}).isdisjoint(sys.modules)
        """
    )

    passed(run.runpytest_subprocess(), 1)


def test_a_zoho_needs_no_mongodb_and_starts_anew_for_each_test(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        import sys

        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_is_as_if_just_started(loopback_zoho, number):
            eu = loopback_zoho.data_center("eu")
            for zoho in (loopback_zoho, eu):
                assert zoho.requests() == zoho.records("Contacts") == []
                zoho.add_record("Contacts", {"Last_Name": "Byron"})
            assert "pymongo" not in sys.modules
        """
    )

    passed(run.runpytest_subprocess(), 2)


def test_a_login_acts_in_its_test_alone(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    run.makeconftest(
        """
        import pytest
        from zoho_mongo_store.testing import mock_store

        @pytest.fixture
        def mongo_token_store():
            with mock_store() as store:
                yield store
        """
    )
    run.makepyfile(
        """
        import pytest
        from zoho_mongo_store.sdk import Initializer

        @pytest.mark.parametrize("number", [1, 2])
        def test_acts(loopback_zoho, mongo_token_store, logged_in_token, number):
            assert Initializer.get_initializer().token is logged_in_token
            assert loopback_zoho.requests() == []
            assert loopback_zoho.is_live(logged_in_token.get_access_token())
            [stored] = mongo_token_store.get_tokens()
            assert stored.get_id() == logged_in_token.get_id()
            assert stored.get_user_signature().get_name() == "ada@example.com:10001"

        def test_does_not_act():
            assert Initializer.get_initializer() is None
        """
    )

    passed(run.runpytest_subprocess(), 3)


def test_a_store_has_a_database_of_its_own_which_is_dropped(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        import pytest
        from pymongo import MongoClient

        @pytest.mark.parametrize("number", [1, 2])
        def test_is_empty(logged_in_token, mongo_token_store, number):
            assert len(mongo_token_store.get_tokens()) == 1

        def test_nothing_is_left(local_mongo):
            with MongoClient(local_mongo.uri) as client:
                assert set(client.list_database_names()) == {"admin", "config", "local"}
        """
    )

    passed(run.runpytest_subprocess(), 3)


def test_each_worker_has_servers_of_its_own_and_leaves_nothing(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        from pathlib import Path

        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_notes_its_servers(local_mongo, loopback_zoho, number, worker_id):
            pids = [local_mongo.primary.pid, loopback_zoho.pid]
            Path(f"{worker_id}.{number}").write_text(" ".join(map(str, pids)))
        """
    )

    passed(run.runpytest_subprocess("-n2", "--dist=load"), 2)

    notes = {note.suffix: note for note in run.path.glob("gw*.*")}
    assert len({note.stem for note in notes.values()}) == 2
    pids = [int(pid) for note in notes.values() for pid in note.read_text().split()]
    assert len(set(pids)) == 4
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    assert not list((run.path / "temporary").glob("zoho-mongo-store-*"))


def test_without_a_mongod_it_says_what_to_install(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOHO_MONGO_MONGOD", str(run.path / NO_MONGOD))
    run.makepyfile("def test_nothing(mongo_token_store): pass")

    result = run.runpytest_subprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"E *MongodUnavailableError: *{NO_MONGOD}*"])
