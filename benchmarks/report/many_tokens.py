"""The section on reading and importing very many tokens."""

from benchmarks.report.results import Results, seconds, table


def text(results: Results) -> str:
    """Write the section, on the largest collection that was measured."""
    tokens = max(params["tokens"] for params, _, _ in results.of("test_read"))
    rows = [
        (
            params["reader"],
            seconds(stats["median"]),
            seconds(stats["median"] / tokens),
            f"{extra['memory_mib']:.1f} MiB",
        )
        for params, stats, extra in results.of("test_read")
        if params["tokens"] == tokens
    ]
    ((imported, extra),) = [
        (stats["median"], extra)
        for params, stats, extra in results.of("test_import")
        if params["tokens"] == tokens
    ]
    converted, encrypted, rotated = max(
        (params["tokens"], stats["median"], extra["rotation"])
        for params, stats, extra in results.of("test_encrypt")
    )
    return f"""## Many tokens

On: {results.facts["mongodb"]}, {results.facts["mariadb"]}, files; {tokens:,} tokens.
Memory is by how much the process's peak lies above what it held before.

{table(("", "all tokens", "per token", "memory"), *rows)}

`get_tokens` makes a list of all tokens, `iter_tokens` holds one batch of 1,000. FileStore and
DBStore make their tokens without the constructor, which is quicker; such a token is never saved
again (`OAuthToken.get_token` needs an attribute that it lacks).

Import of a FileStore file of {tokens:,} rows: {seconds(imported)}, {tokens / imported:,.0f} rows a
second, {extra["memory_mib"]:.1f} MiB. Of that {seconds(extra["client_cpu"])} is the client's CPU,
{seconds(extra["client_cpu"] / tokens)} a row; the rest is MongoDB's, which writes each row with all
its indexes and waits for the journal once for each command.

`encrypt` of {converted:,} tokens: {seconds(encrypted)}, {converted / encrypted:,.0f} a second;
`rotate-keys --data-key` of the same: {seconds(rotated)}, {converted / rotated:,.0f} a second,
besides its two waits until every process knows the new key. Each token is an update of its own,
which applies only if nobody has saved the token meanwhile; 100 are sent at once.
"""
