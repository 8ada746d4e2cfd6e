"""What the pages of the reference say of the code is what the code has."""

import inspect
import re
from dataclasses import fields
from datetime import timedelta
from types import ModuleType
from typing import Any, get_args

import pytest

import zoho_mongo_store
import zoho_mongo_store.testing
from tests.docs.pages import DOCS, section
from zoho_mongo_store import CachePolicy, MongoTokenStore, RefreshPolicy, RefreshStats
from zoho_mongo_store.driver.index import Index
from zoho_mongo_store.events import EventName
from zoho_mongo_store.storage.token_indexes import TOKEN_INDEXES, idle_index

REFERENCE = DOCS / "reference"
SETTINGS = REFERENCE / "settings.md"
EVENTS = REFERENCE / "events.md"
DOCUMENT = REFERENCE / "document.md"
UNITS = {"s": timedelta(seconds=1), "min": timedelta(minutes=1)}


def rows(text: str) -> dict[str, str]:
    """The second cells of a table, by the names in the first, of which a row may have several."""
    found = re.findall(r"(?m)^\| ((?:`\w+`(?:, )?)+) \| ([^|]*?) ?\|", text)
    return {name: cell for names, cell in found for name in re.findall(r"\w+", names)}


def defaults(text: str) -> dict[str, Any]:
    """The defaults that a table of options names."""
    told: dict[str, Any] = {}
    for name, default in rows(text).items():
        number, _, unit = default.strip("`").partition(" ")
        told[name] = int(number.replace("_", "")) * UNITS.get(unit, 1)
    return told


def test_every_option_of_the_store() -> None:
    told = rows(section(SETTINGS, "Options of the store"))

    assert list(told) == list(inspect.signature(MongoTokenStore).parameters)


def test_every_field_of_the_policies_with_its_default() -> None:
    for heading, policy in (("The refresh policy", RefreshPolicy), ("The cache", CachePolicy)):
        told = defaults(section(SETTINGS, heading))

        assert told == {field.name: field.default for field in fields(policy)}


def test_every_count() -> None:
    told = rows(section(EVENTS, "What is counted"))

    assert list(told) == [field.name for field in fields(RefreshStats)]


def test_every_event() -> None:
    assert list(rows(section(EVENTS, "Events"))) == list(get_args(EventName))


def test_every_index() -> None:
    told = rows(section(DOCUMENT, "The indexes"))
    wanted = (*TOKEN_INDEXES, idle_index(timedelta(days=1)))

    assert told.keys() == {index.field for index in wanted if index}
    for index in filter(None, wanted):
        assert kinds(index) == {
            word for word in ("unique", "partial", "TTL") if word in told[index.field]
        }


def kinds(index: Index) -> set[str]:
    named = {
        "unique": index.unique,
        "partial": index.partial,
        "TTL": index.expire_after is not None,
    }
    return {word for word, is_true in named.items() if is_true}


@pytest.mark.parametrize(
    ("page", "package"),
    [("interface.md", zoho_mongo_store), ("testing.md", zoho_mongo_store.testing)],
)
def test_every_public_name(page: str, package: ModuleType) -> None:
    shown = re.findall(r"(?m)^::: ([\w.]+)$", (REFERENCE / page).read_text())
    public = {name for name in package.__all__ if not name.startswith("__")}

    assert {name.rpartition(".")[2] for name in shown} == public
