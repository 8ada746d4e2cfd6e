"""The section on a find and a save beside pymongo alone."""

from pathlib import Path

from matplotlib import pyplot as plt

from benchmarks import test_hot_path as hot_path
from benchmarks.peers import RAW
from benchmarks.report.plotting import save
from benchmarks.report.results import Results, between, ratios, seconds, spread, table


def text(results: Results) -> str:
    """Write the section."""
    rows = []
    for operation in hot_path.OPERATIONS:
        times = {
            clock: results.turns("test_hot_path", "subject", operation=operation, clock=clock)
            for clock in ("cpu", "wall")
        }
        sent = {
            params["subject"]: extra["commands"]
            for params, _, extra in results.of("test_hot_path")
            if params["operation"] == operation
        }
        for subject in hot_path.SUBJECTS:
            cpu, wall = times["cpu"][subject], times["wall"][subject]
            rows.append(
                (
                    f"{operation}: {subject}",
                    f"{sent[subject]:g}",
                    seconds(spread(cpu).median),
                    between(ratios(cpu, times["cpu"][RAW])),
                    between(ratios(cpu, times["cpu"][hot_path.BOUNDED])),
                    seconds(spread(wall).median),
                    between(ratios(wall, times["wall"][RAW])),
                )
            )
    return f"""## A find and a save, beside pymongo alone

On: {results.facts["mongodb"]}, a collection of {hot_path.TOKENS:,} tokens, one
connection.

{
        table(
            ("", "commands", "client CPU", "CPU / raw", "CPU / bounded", "wall", "wall / raw"),
            *rows,
        )
    }

Raw is `find_one` or `find_one_and_update` of the same document on the same connection, and a token
from the SDK's constructor. Bounded is the same within `pymongo.timeout`, by which this store keeps
an operation to its five seconds, also on a borrowed client. CPU is the thread's, from
`time.thread_time`. The subjects take turns, {
        results.turns_taken("test_hot_path")
    } times; a ratio is taken within a turn,
and its median stands before the quartiles. The cache is `CachePolicy(max_age=timedelta(hours=1))`,
and the token is in it; with encryption it is set beside raw pymongo without encryption.

What this store adds: it checks the fields that it is given and those that it reads, fills the
caller's own token, arms it for the fleet's one refresh, keeps a save that cannot get through, and
asks for the majority's acknowledgement. The largest single part is the time-out, which the rows
"bounded" show by itself. The longer a server takes, the colder the client's caches are when it goes
on, so a save, which waits for the journal, costs more CPU than its work alone.

![CPU of a find and a save](hot_path.png)
"""


def plot(results: Results, folder: Path) -> None:
    """Draw the plot of the section."""
    figure, axes = plt.subplots(figsize=(11, 4.5), layout="constrained")
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
            axes.bar_label(bar, [f"{ratio:.2f}"], label_type="edge", padding=4, fontsize=8)
    axes.set_xticks([number + width for number in range(len(hot_path.OPERATIONS))])
    axes.set_xticklabels([name.replace(" ", "\n", 1) for name in hot_path.OPERATIONS])
    axes.set_ylabel("client CPU per call, µs")
    axes.set_title("A find and a save, beside pymongo alone; on the bars: the ratio to raw pymongo")
    axes.legend()
    save(figure, folder / "hot_path.png")
