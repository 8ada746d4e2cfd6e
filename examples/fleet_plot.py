"""The chart of the figures of fleet.py."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

ZOHO_LIMIT = 10
COLORS = ["#c44e52", "#dd8452", "#2a7f62"]
WIDTH = 0.27


class Point(Protocol):
    """The figures of one fleet."""

    @property
    def store(self) -> str:
        """The store that it used."""

    @property
    def processes(self) -> int:
        """The number of its processes."""

    @property
    def requests(self) -> int:
        """The refresh requests that Zoho received."""

    @property
    def failed(self) -> int:
        """The API calls that failed."""


def draw(points: Sequence[Point], path: Path) -> None:
    """Draw refresh requests and failed API calls, a group of bars for each size of fleet.

    Args:
        points: What each fleet did; each store with the same sizes.
        path: The file. Its ending says the format, such as ``.png`` or ``.svg``.
    """
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    requests, failures = figure.subplots(1, 2)
    stores = list(dict.fromkeys(point.store for point in points))
    for number, (color, store) in enumerate(zip(COLORS, stores, strict=True)):
        group = [point for point in points if point.store == store]
        places = [place + (number - 1) * WIDTH for place in range(len(group))]
        heights = {
            requests: [point.requests for point in group],
            failures: [point.failed for point in group],
        }
        for axes, values in heights.items():
            bars = axes.bar(places, values, WIDTH, color=color, label=store)
            axes.bar_label(bars, fontsize=8)
    requests.axhline(ZOHO_LIMIT, color="black", linestyle=":", linewidth=1)
    corner = ("axes fraction", "data")
    requests.annotate("Zoho's limit in 10 minutes", (0.01, ZOHO_LIMIT + 0.3), xycoords=corner)
    sizes = sorted({point.processes for point in points})
    for axes, title in ((requests, "Refresh requests to Zoho"), (failures, "Failed API calls")):
        axes.set_title(title)
        axes.set_xlabel("processes that meet one expired token")
        axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    failures.legend(loc="upper left", frameon=False)
    figure.savefig(path, dpi=120)
