"""RESULTS.md and its plots, made from what a run measured; a module for each section.

A section's module is named after that of its measurements: ``report/growth.py`` has ``text``, and
``plot`` where there is one, for ``test_growth.py``.
"""

ORDER = (
    "hot_path",
    "options",
    "distance",
    "start_up",
    "fleet",
    "waiting",
    "refreshes",
    "failover",
    "growth",
    "many_tokens",
)
"""The order of the sections, in which they are measured too: the large collections come last."""
