"""The section on a fleet that meets one expired token."""

from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.peers import PEERS
from benchmarks.report.plotting import save, style
from benchmarks.report.results import Results, table
from benchmarks.test_fleet import ZOHO_SECONDS


def text(results: Results) -> str:
    """Write the section."""
    outcomes = {
        (params["peer"], params["callers"]): extra for params, _, extra in results.of("test_fleet")
    }
    sizes = sorted({callers for _, callers in outcomes})
    rows = [
        (
            peer,
            *(
                f"{outcome['requests']} / {outcome['failed']} / {outcome['seconds']:.1f} s"
                if outcome
                else "left out"
                for outcome in (outcomes.get((peer, callers)) for callers in sizes)
            ),
        )
        for peer in PEERS
    ]
    return f"""## A fleet on one expired token

On: {results.facts["mongodb"]}, {results.facts["mariadb"]}, files; a loopback Zoho that takes
{ZOHO_SECONDS} s to answer and gives 10 access tokens per refresh token in 10 minutes, as Zoho does.
Each caller is a process with a store of its own that asks the SDK for an access token. A cell holds
the requests that Zoho received / the callers that got no usable access token / the time until the
last one had its answer.

{table(("callers", *map(str, sizes)), *rows)}

With this store one process asks Zoho, once, and the others look for its answer every 30 to 250 ms.
So the last of them can have it a little later than a caller of another store has its own answer or
its refusal.

![Requests and failures of a fleet](fleet.png)
"""


def plot(results: Results, folder: Path) -> None:
    """Draw the plot of the section."""
    wanted = {
        "requests": "requests to Zoho",
        "failed": "callers without a usable token",
        "seconds": "seconds to the last answer",
    }
    figure, panels = plt.subplots(1, 3, figsize=(12, 4.5), layout="constrained")
    for axes, (name, title) in zip(panels, wanted.items(), strict=True):
        for peer in PEERS:
            _line(axes, results, peer, name)
        axes.set(xlabel="callers on one expired token", title=title, ylim=(0, None))
        axes.grid(alpha=0.3)
    panels[0].legend()
    save(figure, folder / "fleet.png")


def _line(axes: Axes, results: Results, peer: str, name: str) -> None:
    points = sorted(
        (params["callers"], extra[name])
        for params, _, extra in results.of("test_fleet")
        if params["peer"] == peer
    )
    if points:
        axes.plot(*zip(*points, strict=True), "o-", **style(peer))
