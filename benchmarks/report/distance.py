"""The section on a MongoDB that is some milliseconds away."""

from benchmarks.report.results import Results, seconds, table
from benchmarks.test_distance import API_CALL, FIND, ROUND_TRIP, SUBJECTS


def text(results: Results) -> str:
    """Write the section."""
    medians = {
        (params["subject"], params["operation"]): stats["median"]
        for params, stats, _ in results.of("test_distance")
    }
    rows = [
        (
            subject,
            seconds(medians[subject, FIND]),
            seconds(medians[subject, API_CALL]),
            f"{medians[subject, FIND] / medians[subject, API_CALL]:.0%}",
        )
        for subject in SUBJECTS
    ]
    return f"""## A MongoDB {ROUND_TRIP * 1000:g} ms away

On: {results.facts["mongodb"]}, through a proxy that holds what is said for
{ROUND_TRIP * 500:g} ms in either direction. Wall time, the median. An API call is the SDK's
`UsersOperations().get_users()` at a loopback Zoho that answers at once.

{table(("", FIND, API_CALL, "the find's share"), *rows)}

Zoho's own answer takes some hundred milliseconds more, so the share in a real call is smaller by
that.
"""
