"""Many processes find one token expired: what Zoho sees, and how many API calls fail.

Fleets of 2, 8, 16 and 32 processes run three times each: with the SDK's FileStore, all on one
file; with this store and ``refresh=None``; with this store as it is. All processes have started the
SDK when the token that they share expires, and each then makes one API call. Zoho is a loopback
server that takes a second to answer and, as Zoho does, gives 10 access tokens per refresh token in
10 minutes. MongoDB runs locally, started for this. The script prints MongoDB's version and a table,
and draws a chart, in about a minute::

    pip install 'zoho-mongo-store[crm8,demo]' matplotlib
    python examples/fleet.py --plot docs/images/fleet.png

``--processes 4 --processes 64`` are other sizes. ``--no-plot`` needs no matplotlib.
"""

import multiprocessing
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NamedTuple

from fleet_process import STORES, Call, Site, call, prepare

try:
    import typer
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    from zoho_mongo_store.testing import LocalMongo, LoopbackZoho
except ImportError as missing:
    sys.exit(f"fleet.py: {missing}. Install: pip install 'zoho-mongo-store[crm8,demo]' matplotlib")

SIZES = [2, 8, 16, 32]
ZOHO_SECONDS = 1.0

# Where it can be, a process is forked from one that has imported the SDK, which takes a second.
_methods = multiprocessing.get_all_start_methods()
CONTEXT = multiprocessing.get_context("forkserver" if "forkserver" in _methods else "spawn")
PRELOADED = [
    "zohocrmsdk.src.com.zoho.crm.api.users",
    "zoho_mongo_store.testing",
    "typer",
    "rich.progress",
]


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Outcome(NamedTuple):
    """The figures of one fleet."""

    store: str
    processes: int
    requests: int
    """Requests for a new access token that Zoho received."""
    refusals: int
    """The requests that Zoho refused."""
    failed: int
    """API calls that ended in an error."""
    access_tokens: int
    """The different access tokens that API calls were made with."""
    seconds: float
    """The time until the last process had its answer or its error."""
    errors: Counter[str]
    """The codes of the errors."""


def run(store: str, processes: int, uri: str, zoho: LoopbackZoho) -> Outcome:
    """Have so many processes find at the same moment that their token has expired."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        site = Site(store, uri, zoho, folder, zoho.refresh_token())
        site.log_in()
        zoho.clear()
        barrier = CONTEXT.Barrier(processes, site.expire)
        with ProcessPoolExecutor(processes, CONTEXT, prepare, (barrier,)) as pool:
            return outcome_of(site, list(pool.map(call, [site] * processes)))


def outcome_of(site: Site, calls: list[Call]) -> Outcome:
    """Count the requests that Zoho received, and the outcomes in the processes."""
    requests = site.zoho.requests()
    refreshes = [request for request in requests if request.kind == "refresh"]
    errors = Counter(call.error for call in calls if call.error)
    return Outcome(
        store=site.store,
        processes=len(calls),
        requests=len(refreshes),
        refusals=sum(request.status != "ok" for request in refreshes),
        failed=errors.total(),
        access_tokens=len({request.digest for request in requests if request.kind == "users"}),
        seconds=max(call.ended for call in calls) - min(call.began for call in calls),
        errors=errors,
    )


def show(outcomes: list[Outcome]) -> None:
    """Print the figures, a line for each fleet, and the errors."""
    console = Console(highlight=False)
    table = Table(title="N processes meet one expired token at the same moment")
    table.add_column("store", no_wrap=True)
    for name in ("N", "requests", "refusals", "failed calls", "access tokens", "seconds"):
        table.add_column(name, justify="right")
    for store in STORES:
        table.add_section()
        for outcome in (outcome for outcome in outcomes if outcome.store == store):
            table.add_row(*map(str, outcome[:6]), f"{outcome.seconds:.1f}")
    console.print(table)
    for store in STORES:
        errors = sum((one.errors for one in outcomes if one.store == store), Counter[str]())
        if errors:
            causes = ", ".join(f"{count} x {error}" for error, count in errors.most_common())
            console.print(f"{store}: {causes}")


@app.command()
def main(
    processes: Annotated[list[int], typer.Option(min=1, help="The size of a fleet.")] = SIZES,
    plot: Annotated[Path, typer.Option(help="Where to draw the picture.")] = Path("fleet.png"),
    no_plot: Annotated[bool, typer.Option("--no-plot", help="Draw none.")] = False,
) -> None:
    """Compare three stores when many processes find one token expired, with a loopback Zoho."""
    if not no_plot and find_spec("matplotlib") is None:
        sys.exit("fleet.py: matplotlib is not installed. Install it, or pass --no-plot")
    if CONTEXT.get_start_method() == "forkserver":
        CONTEXT.set_forkserver_preload(PRELOADED)
    fleets = [(store, size) for size in sorted(set(processes)) for store in STORES]
    with LocalMongo() as mongodb, LoopbackZoho() as zoho:
        zoho.configure(delay=ZOHO_SECONDS)
        outcomes = [
            run(store, size, mongodb.uri, zoho)
            for store, size in track(fleets, "Running fleets", transient=True)
        ]
    print(f"On {mongodb.description}:")
    show(outcomes)
    if not no_plot:
        from fleet_plot import draw

        draw(outcomes, plot)
        print(f"The picture is in {plot}")


if __name__ == "__main__":
    app()
