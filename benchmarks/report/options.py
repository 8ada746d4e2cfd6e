"""The section on what the store's options cost."""

from benchmarks import test_options as options
from benchmarks.report.results import Results, between, ratios, seconds, spread, table


def text(results: Results) -> str:
    """Write the section."""
    rows = []
    for operation in options.OPERATIONS:
        times = results.turns("test_options", "option", operation=operation)
        for option in options.OPTIONS:
            cpu = times[option]
            rows.append(
                (
                    f"{operation}: {option}",
                    seconds(spread(cpu).median),
                    between(ratios(cpu, times[options.DEFAULT])),
                )
            )
    return f"""## Options, when nothing is due

On: {results.facts["mongodb"]}, a collection of {options.TOKENS:,} tokens, one connection. The
default is with the refresh coordinated; `refresh=None` is without.

{table(("", "client CPU", "CPU / the defaults"), *rows)}

A find decrypts four fields, and encrypts the one that it is looked up by if that is a secret; a
save encrypts four and decrypts four. Each costs a call into libmongocrypt.
"""
