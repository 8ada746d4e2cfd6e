"""The scopes that a user grants to a client. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SCOPE = re.compile(r"[A-Za-z]+(\.[A-Za-z_]+){1,3}")
_EVERYTHING = "ALL"


def parse(text: str) -> tuple[str, ...]:
    """Read the scopes of an authorize request, which are separated by commas.

    Raises:
        ValueError: There are none, or one does not have the form ``Service.group.OPERATION``.
    """
    scopes = tuple(scope.strip() for scope in text.split(","))
    if not all(_SCOPE.fullmatch(scope) for scope in scopes):
        raise ValueError("Scope does not exist")
    return scopes


def allow(scopes: Iterable[str] | None, needed: str) -> bool:
    """Whether the scopes cover what is needed.

    Args:
        scopes: What the user granted to the client. None: everything.
        needed: The needed scope, such as ``"ZohoCRM.users.READ"`` or
            ``"ZohoCRM.modules.Contacts.UPDATE"``. A scope without the last parts of the group
            covers it too, and so does the operation ``ALL``.
    """
    if scopes is None:
        return True
    group, _, operation = needed.lower().rpartition(".")
    parts = group.split(".")
    groups = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    enough = {f"{name}.{suffix}" for name in groups for suffix in (operation, _EVERYTHING.lower())}
    return any(scope.lower() in enough for scope in scopes)
