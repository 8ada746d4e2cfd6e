"""Writes RESULTS.md and the plots beside it: ``make bench`` calls it.

python -m benchmarks.report RUN.json FOLDER
"""

import sys
import textwrap
from importlib import import_module
from pathlib import Path

from benchmarks.report import ORDER
from benchmarks.report.results import Facts, Results

WIDTH = 100


def head(facts: Facts) -> str:
    """What was measured on what."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    quick = "\n**A quick run: it shows that everything works, and measures nothing.**\n"
    return f"""# Benchmarks

All of it by one command, in one run on one machine: `make bench`. Do not edit: it is written anew.
With `ZOHO_MONGO_TEST_URI` set the same runs on that MongoDB.
{quick if facts["quick"] else ""}
| | |
|---|---|
| date | {facts["date"]} |
| machine | {facts["cpu"]}, {facts["cores"]} cores, {facts["memory_gib"]} GiB; {facts["system"]} |
| load (1, 5, 15 minutes) | {facts["load_at_the_start"]} before, {facts["load_at_the_end"]} after |
| Python | {facts["python"]} |
| packages | {versions} |
| MongoDB | {facts["mongodb"]} |
| DBStore's server | {facts["mariadb"]} |

MongoDB and the programs that use it share the machine and its cores. Saves are acknowledged by the
majority, so they wait until MongoDB's journal is on the disk.
"""


def main() -> None:
    """Read the file that pytest-benchmark wrote, and write the report into the folder."""
    results, folder = Results(Path(sys.argv[1])), Path(sys.argv[2])
    parts = [head(results.facts)]
    for name in ORDER:
        section = import_module(f"benchmarks.report.{name}")
        parts.append(section.text(results))
        if hasattr(section, "plot"):
            section.plot(results, folder)
    (folder / "RESULTS.md").write_text(wrapped("\n".join(parts)))


def wrapped(text: str) -> str:
    """Break the lines of prose anew, since names and figures in it differ in length."""
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(map(_wrapped, paragraphs)) + "\n"


def _wrapped(paragraph: str) -> str:
    if paragraph.startswith(("#", "|", "!")):
        return paragraph
    words = " ".join(paragraph.split())
    return textwrap.fill(words, WIDTH, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    main()
