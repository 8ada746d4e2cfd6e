"""The page of recipes as a whole."""

import re

import pytest

from tests.recipes.programs import PAGE, TEXT, programs


def test_no_program_is_left_out() -> None:
    headings = re.findall(r"(?m)^## (.*)$", TEXT)

    assert [len(programs(re.escape(heading))) for heading in headings] == [1, 2, 1, 1]


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)", TEXT))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (PAGE.parent / link).exists()
