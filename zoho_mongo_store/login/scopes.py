"""Checks the scopes of a login: they must allow asking Zoho who logged in."""

from collections.abc import Iterable

USER_SCOPES = ("ZohoCRM.users.READ", "ZohoCRM.org.READ")
"""The scopes for looking up the user: ``/users?type=CurrentUser`` and ``/org``."""


def checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Check that the scopes allow asking Zoho who logged in.

    Args:
        scopes: The scopes as an iterable, or as one string separated by commas, as Zoho writes it.

    Raises:
        ValueError: A scope is missing; the message names it.
    """
    listed = scopes.split(",") if isinstance(scopes, str) else scopes
    given = tuple(scope.strip() for scope in listed)
    missing = [scope for scope in USER_SCOPES if not {scope, _all(scope)} & set(given)]
    if missing:
        raise ValueError(
            f"scopes must include {' and '.join(missing)}: without them Zoho does not say who "
            "logged in"
        )
    return given


def _all(scope: str) -> str:
    return f"{scope.rpartition('.')[0]}.ALL"
