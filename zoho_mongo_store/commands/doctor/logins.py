"""Checks of ``doctor`` on the logins: the tokens for which Zoho issues no access token."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from zoho_mongo_store.commands.doctor.findings import Finding
from zoho_mongo_store.commands.inventory import Inventory
from zoho_mongo_store.commands.output import format_count
from zoho_mongo_store.commands.token_state import TokenState
from zoho_mongo_store.commands.token_summary import TokenSummary
from zoho_mongo_store.storage.repository import TokenRepository

_SHOWN = 3
_LOG_IN = "have them log in again: zoho-mongo-store list --login-required says why, and since when"
_WAIT = "wait; if Zoho could not be reached, check the network of the application's hosts"
_LIMIT = (
    "Zoho issues 10 access tokens in 10 minutes for a refresh token: find what asks for so many, "
    "such as a program that bypasses the store, or expire_access_token called in a loop"
)


def failing(tokens: TokenRepository) -> Iterator[Finding]:
    """Check that no user has to log in again, and that no refresh is held off."""
    inventory = Inventory(tokens)
    found: dict[TokenState, list[TokenSummary]] = defaultdict(list)
    for token in sorted(inventory.failing(), key=lambda one: one.sort_key):
        found[token.state].append(token)
    now = inventory.clock()

    dead = found[TokenState.LOGIN_REQUIRED]
    if dead:
        users = "1 user" if len(dead) == 1 else f"{len(dead):,} users"
        names = [_name(one) for one in dead]
        yield Finding("logins", "warned", f"{users} must log in again: {_listed(names)}", _LOG_IN)
    else:
        yield Finding("logins", "passed", "nobody has to log in again")
    for check, state, verb, advice in (
        ("cool-down", TokenState.COOLING_DOWN, "cooling down", _WAIT),
        ("Zoho's limit", TokenState.AT_LIMIT, "at Zoho's limit", _LIMIT),
    ):
        held_off = found[state]
        if held_off:
            said = [
                f"{_name(one)} {one.describe_state(now).removeprefix(f'{verb} ')}"
                + (f" ({one.reason})" if state is TokenState.COOLING_DOWN else "")
                for one in held_off
            ]
            detail = f"{format_count(len(held_off), 'token')} {verb}: {_listed(said)}"
            yield Finding(check, "warned", detail, advice)
        else:
            yield Finding(check, "passed", "none")


def _name(token: TokenSummary) -> str:
    return token.user or f"id {token.id}"


def _listed(names: Sequence[str]) -> str:
    """List the first few, and how many more there are."""
    more = [f"and {len(names) - _SHOWN:,} more"] if len(names) > _SHOWN else []
    return ", ".join([*names[:_SHOWN], *more])
