"""The section on finds and saves as the collection grows."""

from pathlib import Path

from matplotlib import pyplot as plt

from benchmarks.peers import PEERS
from benchmarks.report.plotting import save, style
from benchmarks.report.results import Results, Statistics, seconds, table
from benchmarks.test_growth import FINDS, MOST_FOR_ALL, SAVE

OPERATIONS = (*FINDS, SAVE)
TITLES = {**{operation: f"find {operation}" for operation in FINDS}, SAVE: SAVE}


def text(results: Results) -> str:
    """Write the section."""
    found = _measured(results)
    counts = sorted({tokens for _, _, tokens in found})
    rows = [
        (
            f"{TITLES[operation]}: {peer}",
            *(_cell(found.get((operation, peer, count))) for count in counts),
        )
        for operation in OPERATIONS
        for peer in PEERS
        if any((operation, peer, count) in found for count in counts)
    ]
    return f"""## Growth

On: {results.facts["mongodb"]} for MongoTokenStore and raw pymongo; files for FileStore and SQLite;
DBStore: {results.facts["mariadb"]}. Wall time of one call, the median ± half the distance of the
quartiles. Those who search every row end at {MOST_FOR_ALL:,} tokens, and only MongoDB's saves are
measured.

{table(("tokens stored", *(f"{tokens:,}" for tokens in counts)), *rows)}

MongoTokenStore and raw pymongo look for tokens all over the collection, the same ones in the same
order, and each was read once before; the others look for the middle one, which a search from the
first row meets halfway. What MongoTokenStore and raw pymongo show alike is the server's. With few
tokens a file is quicker than any server, since nothing goes over a socket. FileStore reads the file
anew for each find. DBStore and the SQLite sample have no index but that of the key, so only their
find by id keeps its pace; DBStore opens a connection for each call, SQLite opens the file.

![Time of a find and of a save as the collection grows](growth.png)
"""


def plot(results: Results, folder: Path) -> None:
    """Draw a panel for each operation."""
    found = _measured(results)
    figure, panels = plt.subplots(1, 4, figsize=(15, 4.5), sharey=True, layout="constrained")
    for axes, operation in zip(panels, OPERATIONS, strict=True):
        for peer in PEERS:
            points = sorted(
                (tokens, stats["median"] * 1e3)
                for (what, who, tokens), stats in found.items()
                if (what, who) == (operation, peer)
            )
            if points:
                axes.plot(*zip(*points, strict=True), "o-", **style(peer))
        axes.set(xscale="log", yscale="log", xlabel="tokens stored", title=TITLES[operation])
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("wall time of one call, ms")
    panels[0].legend()
    save(figure, folder / "growth.png")


def _measured(results: Results) -> dict[tuple[str, str, int], Statistics]:
    """The statistics by operation, peer and number of tokens."""
    measured = {
        (params["operation"], params["peer"], params["tokens"]): stats
        for params, stats, _ in results.of("test_find")
    }
    return measured | {
        (SAVE, params["peer"], params["tokens"]): stats
        for params, stats, _ in results.of("test_save")
    }


def _cell(stats: Statistics | None) -> str:
    if stats is None:
        return ""
    return f"{seconds(stats['median'])} ± {seconds(stats['iqr'] / 2)}"
