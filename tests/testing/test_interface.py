"""``zoho_mongo_store.testing`` as an interface that others rely on."""

import inspect
import subprocess
import sys

import pytest

from zoho_mongo_store import testing

HEAVY = ("pymongo", "zohocrmsdk", "werkzeug", "mongomock", "pytest")


def test_its_names_are_these() -> None:
    assert testing.__all__ == [
        "LocalMongo",
        "LoopbackZoho",
        "Member",
        "MongodUnavailableError",
        "Request",
        "digest",
        "fresh_sdk",
        "mock_store",
    ]


@pytest.mark.parametrize("name", testing.__all__)
def test_each_name_is_there_and_documented(name: str) -> None:
    value = getattr(testing, name)

    assert value.__name__ == name
    assert inspect.getdoc(value)
    assert value.__module__.startswith("zoho_mongo_store.testing.")


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'LoopbackMongo'"):
        _ = testing.LoopbackMongo  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", ["zoho_mongo_store.testing", "zoho_mongo_store.testing.zoho"])
def test_importing_it_imports_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()

    assert module in loaded
    assert set(HEAVY).isdisjoint(loaded)
