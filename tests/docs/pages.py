"""README and the pages of docs/, and the blocks of code in them."""

import re
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

FENCE = re.compile(r"(?ms)^( *)```([^\n`]*)\n(.*?)^\1```$")


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    title: str
    """The name of the file that it is, if it is one."""
    text: str
    line: int
    before: str
    """The line of text above it."""


def name_of(page: Path) -> str:
    """The page's path in the project."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str) -> list[Block]:
    """The blocks of a page, or of a section, in their order."""
    return [_block(text, match) for match in FENCE.finditer(text)]


def section(page: Path, heading: str) -> str:
    """What stands under a heading of the second level, which is a regular expression."""
    [found] = re.findall(rf"(?ms)^## {heading}\n(.*?)(?=^## |\Z)", page.read_text())
    return str(found)


def programs(page: Path, heading: str) -> list[str]:
    """The Python of a section."""
    return [block.text for block in blocks(section(page, heading)) if block.language == "python"]


def file_of(page: Path, title: str, language: str = "python") -> str:
    """The page's block of that title; without one, its only one of that language."""
    (block,) = [
        one for one in blocks(page.read_text()) if one.title == title and one.language == language
    ]
    return block.text


def run(program: str, page: Path, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run a program as a module; its names."""
    names = {"__name__": "recipe"} if names is None else names
    exec(compile(program, str(page), "exec"), names)  # noqa: S102 - the page's own
    return names


def _block(text: str, match: re.Match[str]) -> Block:
    indentation, info, body = match.groups()
    language, _, options = info.strip().partition(" ")
    title = re.search(r'title="([^"]+)"', options)
    above = text[: match.start()].rstrip().splitlines()
    return Block(
        language,
        title[1] if title else "",
        re.sub(rf"(?m)^{indentation}", "", body),
        text.count("\n", 0, match.start()) + 2,
        above[-1] if above else "",
    )
