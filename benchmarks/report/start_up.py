"""The section on how long a program takes to start."""

from benchmarks.report.results import Results, seconds, spread, table
from benchmarks.test_start_up import PROGRAMS


def text(results: Results) -> str:
    """Write the section."""
    programs = {
        params["program"]: (stats, extra) for params, stats, extra in results.of("test_import_time")
    }
    imports = programs[PROGRAMS[-1]][1]["import_times"]
    parts = {name: spread([times[name] / 1000 for times in imports]) for name in imports[0]}
    rows = [
        *((program, stats) for program, (stats, _) in programs.items()),
        *(
            (f"first token: {params['peer']}", stats)
            for params, stats, _ in results.of("test_first_token")
        ),
    ]
    shares = ", ".join(f"{name} {seconds(part.median)}" for name, part in parts.items())
    return f"""## Start-up

On: {results.facts["mongodb"]}; a file for FileStore. Wall time of a process from its start: until
it has imported what it says and has ended, or until it has its first token.

{
        table(
            ("", "median", "quartiles apart"),
            *((name, seconds(stats["median"]), seconds(stats["iqr"])) for name, stats in rows),
        )
    }

`-X importtime` of one process that imports them in this order, each without what was there already:
{shares}.
"""
