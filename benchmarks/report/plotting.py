"""What the plots share."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from matplotlib.figure import Figure

from benchmarks.peers import OURS, PEERS

_DPI = 110


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    figure.savefig(path, dpi=_DPI)


def style(peer: str) -> dict[str, Any]:
    """Choose how a peer is drawn: in its own colour in every plot, this store by a thick line."""
    line = {"linewidth": 3, "zorder": 3} if peer == OURS else {"linewidth": 1.2}
    return {"color": colour(peer), "label": peer, **line}


def colour(name: str) -> str:
    """Choose the colour of a peer; that of another subject is none of theirs."""
    peers = list(PEERS)
    return f"C{peers.index(name) if name in peers else len(peers)}"
