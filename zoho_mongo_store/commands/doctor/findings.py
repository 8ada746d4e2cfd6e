"""What an examination finds."""

from typing import Literal, NamedTuple

Result = Literal["passed", "warned", "failed"]


class Finding(NamedTuple):
    """One line: ``advice`` says what to do unless it passed."""

    check: str
    result: Result
    detail: str
    advice: str = ""
