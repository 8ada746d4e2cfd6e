"""What ``docs/explain/refresh.md`` says of the code is what the code has."""

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from zoho_mongo_store import RefreshPolicy, RefreshStats
from zoho_mongo_store.events import EventName

PAGE = Path(__file__).parents[2] / "docs" / "explain" / "refresh.md"
TEXT = PAGE.read_text()
UNITS = {"s": timedelta(seconds=1), "min": timedelta(minutes=1)}


def rows(heading: str) -> dict[str, str]:
    """The second cells of a section's table, by the names in the first."""
    [section] = re.findall(rf"(?ms)^## {heading}\n(.*?)(?=^## |\Z)", TEXT)
    return dict(re.findall(r"(?m)^\| `(\w+)` \| ([^|]*?) \|", section))


def test_every_field_of_the_policy_with_its_default() -> None:
    told = {}
    for name, default in rows("The policy").items():
        number, unit = default.split()
        told[name] = int(number) * UNITS[unit]

    assert told == {field.name: field.default for field in fields(RefreshPolicy)}


def test_every_count() -> None:
    assert list(rows("What is logged and counted")) == [
        field.name for field in fields(RefreshStats)
    ]


def test_every_event() -> None:
    assert list(rows("Events")) == list(get_args(EventName))


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)", TEXT))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (PAGE.parent / link).is_file()


def test_the_python_in_it_compiles() -> None:
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```", TEXT)

    assert len(blocks) == 2
    for block in blocks:
        compile(block, str(PAGE), "exec")
