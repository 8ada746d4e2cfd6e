"""What a run measured, by what was measured."""

import json
import statistics
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

Facts = dict[str, Any]
Statistics = dict[str, float]
"""Of one measurement, in seconds, by pytest-benchmark's names."""


class Spread(NamedTuple):
    """The quartiles of seconds or ratios."""

    low: float
    median: float
    high: float


class Results:
    """A file that pytest-benchmark wrote (``--benchmark-json``)."""

    def __init__(self, path: Path) -> None:
        content = json.loads(path.read_text())
        self.facts: Facts = {
            **content["facts"],
            "cpu": content["machine_info"]["cpu"].get("brand_raw", "unknown"),
            "date": content["datetime"][:10],
        }
        self._benchmarks: list[dict[str, Any]] = content["benchmarks"]

    def of(self, test: str) -> Iterator[tuple[dict[str, Any], Statistics, dict[str, Any]]]:
        """Parameters, statistics in seconds, and whatever else was noted, of each measurement."""
        for benchmark in self._benchmarks:
            if benchmark["name"].partition("[")[0] == test:
                yield benchmark["params"] or {}, benchmark["stats"], benchmark["extra_info"]

    def turns(self, test: str, subject: str, **fixed: str) -> dict[str, list[float]]:
        """The medians of each subject, turn by turn.

        Args:
            test: The name of the test that measured.
            subject: The parameter that takes turns.
            fixed: The values of others.
        """
        medians: dict[str, list[float]] = defaultdict(list)
        for params, stats, _ in self.of(test):
            if all(params[name] == value for name, value in fixed.items()):
                medians[params[subject]].append(stats["median"])
        return medians

    def turns_taken(self, test: str) -> int:
        """How often the subjects took turns."""
        return len({params["turn"] for params, _, _ in self.of(test)})


def spread(values: list[float]) -> Spread:
    """The median, and between what half of the values lie."""
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


def ratios(values: list[float], to: list[float]) -> Spread:
    """Of what was measured in the same turn."""
    return spread([value / other for value, other in zip(values, to, strict=True)])


def seconds(value: float) -> str:
    """With a unit, and three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e6:.0f} µs"


def between(value: Spread) -> str:
    """A ratio with its spread."""
    return f"{value.median:.2f} ({value.low:.2f} to {value.high:.2f})"


def table(*rows: tuple[str, ...]) -> str:
    """Markdown; the first row is the head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|---|" + "---:|" * (len(rows[0]) - 1))
    return "\n".join(lines)
