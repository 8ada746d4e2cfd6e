"""The section on processes that wait for one refresh."""

import statistics

from benchmarks.report.results import Results, between, ratios, seconds, table
from benchmarks.test_waiting import ZOHO_SECONDS


def text(results: Results) -> str:
    """Write the section."""
    measured: dict[int, list[dict[str, float]]] = {}
    for params, _, extra in results.of("test_waiting"):
        measured.setdefault(params["callers"], []).append(extra)
    rows = [_row(callers, turns) for callers, turns in sorted(measured.items())]
    return f"""## Waiting for one refresh

On: {results.facts["mongodb"]}; a loopback Zoho that takes {ZOHO_SECONDS:g} s to answer. Each caller
is a process that has been at work, and all of them ask for the same expired token at one moment.
Times are from that moment on: until the one that asks Zoho has its token, and until the median and
the last of all callers have theirs.

{
        table(
            ("callers", "the refresh", "median caller", "last caller", "last / refresh", "highest"),
            *rows,
        )
    }

Medians of {max(map(len, measured.values()))} turns; a ratio is taken within a turn, and its median
stands before the quartiles. The aim is 1.3 for 64 callers. A caller that waits looks at the lease,
at first every 30 to 60 ms, and the less often the longer it waits, so that it sees the answer about
a tenth of the time later that it took. All callers, Zoho and MongoDB share
{results.facts["cores"]} cores.
"""


def _row(callers: int, turns: list[dict[str, float]]) -> tuple[str, ...]:
    columns = {name: [turn[name] for turn in turns] for name in ("refresh", "median", "last")}
    highest = max(turn["last"] / turn["refresh"] for turn in turns)
    return (
        str(callers),
        *(seconds(statistics.median(values)) for values in columns.values()),
        between(ratios(columns["last"], columns["refresh"])),
        f"{highest:.2f}",
    )
