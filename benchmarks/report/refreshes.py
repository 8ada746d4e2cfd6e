"""The section on many expired tokens at once."""

from benchmarks.report.results import Results, seconds
from benchmarks.test_refreshes import PROCESSES


def text(results: Results) -> str:
    """Write the section, on the largest number of users that was measured."""
    users, stats, extra = max(
        ((params["users"], stats, extra) for params, stats, extra in results.of("test_refreshes")),
        key=lambda one: one[0],
    )
    rate = users / stats["median"]
    finds = extra["calls"]
    return f"""## Many expired tokens at once

On: {results.facts["mongodb"]} and a loopback Zoho that answers at once, both on this machine.
{users:,} expired tokens, met by {PROCESSES} processes, each of which asks the SDK for an access
token of every user, in an order of its own: {finds:,} calls, {users:,} requests to Zoho.

{seconds(stats["median"])}: {rate:.0f} refreshes a second. For each refresh, with the
{PROCESSES - 1} other calls that meet the same token: {extra["commands"] / users:.1f} commands,
{seconds(extra["cpu"] / users)} of the clients' CPU and {seconds(extra["server_cpu"] / users)} of
MongoDB's.

A token lives an hour, so at this rate one MongoDB of this size refreshes the tokens of
{rate * 3600:,.0f} users. The {results.facts["cores"]} cores are the limit: the clients, the
loopback Zoho and MongoDB share them. By MongoDB's CPU alone, on one core, it would be
{3600 / (extra["server_cpu"] / users):,.0f} users, besides their finds.
"""
