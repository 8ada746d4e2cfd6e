"""The programs of ``docs/recipes.md``."""

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
TEXT = PAGE.read_text()


def programs(heading: str) -> list[str]:
    """Those of a section."""
    [section] = re.findall(rf"(?ms)^## {heading}\n(.*?)(?=^## |\Z)", TEXT)
    return re.findall(r"(?ms)^```python\n(.*?)^```", section)


def run(program: str) -> dict[str, Any]:
    """Run a program as a module; its names."""
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(program, str(PAGE), "exec"), names)  # noqa: S102 - the page's own
    return names
