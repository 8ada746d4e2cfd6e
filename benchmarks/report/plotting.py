"""What the plots share."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from matplotlib.figure import Figure

from benchmarks.peers import OURS

_DPI = 110


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    figure.savefig(path, dpi=_DPI)


def style(peer: str) -> dict[str, Any]:
    """How the line of a peer is drawn: this store's stands out."""
    return {"linewidth": 3, "zorder": 3} if peer == OURS else {"linewidth": 1.2}
