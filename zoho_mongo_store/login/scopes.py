"""The scopes of a login, among which are those for asking Zoho who logged in."""

from collections.abc import Iterable

USER_SCOPES = ("ZohoCRM.users.READ", "ZohoCRM.org.READ")
"""What the look-up of a user needs: ``/users?type=CurrentUser``, and ``/org``."""


def checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Check that Zoho can be asked who logged in.

    Args:
        scopes: One by one, or as Zoho writes them, with commas in between.

    Raises:
        ValueError: A scope is missing; the message names it.
    """
    listed = scopes.split(",") if isinstance(scopes, str) else scopes
    given = tuple(scope.strip() for scope in listed)
    missing = [scope for scope in USER_SCOPES if not {scope, _all(scope)} & set(given)]
    if missing:
        raise ValueError(
            f"scopes lack {' and '.join(missing)}: without, Zoho does not tell who logged in"
        )
    return given


def _all(scope: str) -> str:
    return f"{scope.rpartition('.')[0]}.ALL"
