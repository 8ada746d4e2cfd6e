"""What a check of ``doctor`` finds."""

from typing import Literal, NamedTuple

Result = Literal["passed", "warned", "failed"]


class Finding(NamedTuple):
    """One line of the result.

    Attributes:
        check: What was checked.
        result: Whether it has passed, warned or failed.
        detail: What was found.
        advice: What to do about it; empty if it has passed.
    """

    check: str
    result: Result
    detail: str
    advice: str = ""
