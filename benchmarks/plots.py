"""The plots beside RESULTS.md."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from benchmarks import test_hot_path as hot_path
from benchmarks.peers import OURS, PEERS, RAW
from benchmarks.results import Results, ratios, spread
from benchmarks.test_growth import OPERATIONS

_DPI = 110


def draw(results: Results, folder: Path) -> None:
    """All of them, as PNG."""
    _hot_path(results, folder / "hot_path.png")
    _growth(results, folder / "growth.png")
    _fleet(results, folder / "fleet.png")


def _hot_path(results: Results, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    width = 1 / (len(hot_path.SUBJECTS) + 1)
    for number, operation in enumerate(hot_path.OPERATIONS):
        times = results.turns("test_hot_path", "subject", operation=operation, clock="cpu")
        for place, subject in enumerate(hot_path.SUBJECTS):
            value = spread(times[subject])
            bar = axes.bar(
                number + place * width,
                value.median * 1e6,
                width,
                yerr=[
                    [(value.median - value.low) * 1e6],
                    [(value.high - value.median) * 1e6],
                ],
                color=f"C{place}",
                label=subject if number == 0 else None,
            )
            ratio = ratios(times[subject], times[RAW]).median
            axes.bar_label(bar, [f"{ratio:.2f}"], label_type="center", color="white")
    axes.set_xticks([number + width for number in range(len(hot_path.OPERATIONS))])
    axes.set_xticklabels(hot_path.OPERATIONS)
    axes.set_ylabel("client CPU per call, µs")
    axes.set_title("A find and a save, beside pymongo alone; in the bars: the ratio to raw pymongo")
    axes.legend()
    figure.savefig(path, dpi=_DPI)


def _growth(results: Results, path: Path) -> None:
    figure, panels = plt.subplots(1, 3, figsize=(12, 4.5), sharey=True, layout="constrained")
    for axes, operation in zip(panels, OPERATIONS, strict=True):
        for peer in PEERS:
            points = sorted(
                (extra["tokens"], stats["median"] * 1e3)
                for params, stats, extra in results.of("test_find")
                if (params["peer"], params["operation"]) == (peer, operation)
            )
            if points:
                axes.plot(*zip(*points, strict=True), "o-", label=peer, **_style(peer))
        axes.set(xscale="log", yscale="log", xlabel="tokens stored", title=f"find {operation}")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("wall time of one find, ms")
    panels[0].legend()
    figure.savefig(path, dpi=_DPI)


def _fleet(results: Results, path: Path) -> None:
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
    figure.savefig(path, dpi=_DPI)


def _line(axes: Axes, results: Results, peer: str, name: str) -> None:
    points = sorted(
        (params["callers"], extra[name])
        for params, _, extra in results.of("test_fleet")
        if params["peer"] == peer
    )
    if points:
        axes.plot(*zip(*points, strict=True), "o-", label=peer, **_style(peer))


def _style(peer: str) -> dict[str, Any]:
    return {"linewidth": 3, "zorder": 3} if peer == OURS else {"linewidth": 1.2}
