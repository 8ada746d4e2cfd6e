"""Writes RESULTS.md and the plots beside it from what a run measured: ``make bench`` calls it."""

import sys
from pathlib import Path

from benchmarks import sections
from benchmarks.plots import draw
from benchmarks.results import Facts, Results

FOLDER = Path(__file__).parent


def head(facts: Facts) -> str:
    """What was measured on what."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return f"""# Benchmarks

All of it by one command, in one run on one machine: `make bench`. Do not edit: it is written anew.
With `ZOHO_MONGO_TEST_URI` set the same runs on that MongoDB.

| | |
|---|---|
| date | {facts["date"]} |
| machine | {facts["cpu"]}, {facts["cores"]} cores, {facts["memory_gib"]} GiB; {facts["system"]} |
| load (1, 5, 15 minutes) | {facts["load_at_the_start"]} before, {facts["load_at_the_end"]} after |
| Python | {facts["python"]} |
| packages | {versions} |
| MongoDB | {facts["mongodb"]} |
| DBStore's server | {facts["mariadb"]} |

The embedded server is no MongoDB: it has its speed on the wire, not in its storage. What is
measured in the client's CPU does not depend on the server; what is measured in wall time does.
"""


def main() -> None:
    """Read the file that is named, which pytest-benchmark wrote."""
    results = Results(Path(sys.argv[1]))
    draw(results, FOLDER)
    parts = [
        head(results.facts),
        sections.hot_path_section(results),
        sections.growth_section(results),
        sections.fleet_section(results),
        sections.many_section(results),
        sections.start_up_section(results),
        sections.options_section(results),
    ]
    (FOLDER / "RESULTS.md").write_text("\n".join(parts))


if __name__ == "__main__":
    main()
