"""The findings of ``doctor``."""

from typing import Literal, NamedTuple

Result = Literal["passed", "warned", "failed"]


class Finding(NamedTuple):
    """One finding.

    Attributes:
        check: What was checked.
        result: Whether the check has passed, warned or failed.
        detail: What was found.
        advice: What to do about it; empty if the check has passed.
    """

    check: str
    result: Result
    detail: str
    advice: str = ""
