"""The section on finds through the loss of a primary."""

from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt

from benchmarks import failover
from benchmarks.report.plotting import save
from benchmarks.report.results import Results
from benchmarks.test_failover import FINDERS


def text(results: Results) -> str:
    """Write the section."""
    measured = _measured(results)
    return f"""## Through the loss of a primary

On: {measured[0]["server"]}, MongoDB's default election time-out. {failover.PROCESSES} processes
with default options each find every {failover.PAUSE * 1000:g} ms and save every fifth time, and
{FINDERS} more only find, which the plot shows, while the primary fails twice.

{failover.table(measured)}

`python -m benchmarks.failover` measures `replSetStepDown` and `primaryPreferred` too.

![Finds in each second](failover.png)
"""


def plot(results: Results, folder: Path) -> None:
    """Draw the finds in each second, and when the primary failed."""
    measured = _measured(results)
    figure, panels = plt.subplots(
        len(measured), 1, figsize=(9, 2.6 * len(measured)), sharex=True, layout="constrained"
    )
    for axes, result in zip(panels, measured, strict=True):
        finds = result["finds in each second"]
        axes.bar(range(len(finds)), finds, width=1, align="edge")
        for moment, election in zip(
            result["failures at (s)"], result["new primary after (s)"], strict=True
        ):
            axes.axvspan(moment, moment + election, color="C3", alpha=0.25)
        axes.set(title=result["failure"], ylabel="finds per second", xlim=(0, len(finds)))
    panels[-1].set_xlabel("seconds; red: no primary")
    save(figure, folder / "failover.png")


def _measured(results: Results) -> list[dict[str, Any]]:
    """The results with the most failures, one for each kind."""
    most = max(params["failures"] for params, _, _ in results.of("test_failover"))
    return [extra for params, _, extra in results.of("test_failover") if params["failures"] == most]
