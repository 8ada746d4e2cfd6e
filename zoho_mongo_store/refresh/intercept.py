"""Handing a token out so that the SDK's own way to Zoho leads through the fleet's coordination."""

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any

from zoho_mongo_store.sdk import OAuthToken, Redemption

_SAVED = "_zoho_mongo_store_saved"
_LOGIN_REQUIRED = "_zoho_mongo_store_login_required"


def intercept(
    redeem: Callable[[OAuthToken, Redemption, str], None],
) -> Callable[[OAuthToken], None]:
    """Make a function that lets a token go to Zoho by ``redeem``.

    ``OAuthToken.get_token`` calls ``refresh_access_token`` or ``generate_access_token`` on the
    token that the store handed out; these two are replaced on the instance. They bear the names of
    the class's methods, so that a pickled token finds those again, and a copied one takes these
    along.

    Args:
        redeem: Called with the token, what it redeems and the address to redeem it at.
    """
    methods: dict[str, Callable[..., OAuthToken]] = {
        redemption.method: _replacement(redemption, redeem) for redemption in Redemption
    }

    def arm(token: OAuthToken) -> None:
        for name, method in methods.items():
            token.__dict__[name] = MethodType(method, token)

    return arm


def mark_saved(token: OAuthToken) -> None:
    """Remember that the access token of ``token`` is what is stored.

    So the SDK's own save, which follows the refresh, cannot put it in the place of one that is
    newer by then.
    """
    token.__dict__[_SAVED] = (token.get_access_token(), token.get_expires_in())


def pop_saved_mark(token: object) -> bool:
    """Whether ``token`` is as ``mark_saved`` saw it; asked once, for one save."""
    mark: Any = getattr(token, "__dict__", {}).pop(_SAVED, None)
    return (
        mark is not None
        and isinstance(token, OAuthToken)
        and mark == (token.get_access_token(), token.get_expires_in())
    )


def mark_login_required(token: OAuthToken, required: bool) -> None:
    """Remember whether the find that led to ``token`` saw that a login is required."""
    token.__dict__[_LOGIN_REQUIRED] = required


def was_login_required(token: OAuthToken) -> bool:
    """Whether ``mark_login_required`` said so."""
    return bool(token.__dict__.get(_LOGIN_REQUIRED))


def _replacement(
    redemption: Redemption, redeem: Callable[[OAuthToken, Redemption, str], None]
) -> Callable[[OAuthToken, object, str], OAuthToken]:
    def replacement(self: OAuthToken, first: object, url: str) -> OAuthToken:
        # SDK 6 to 8 pass the token, which after a shallow copy is not self; SDK 5 passes its store.
        token = first if isinstance(first, OAuthToken) else self
        redeem(token, redemption, url)
        return token

    functools.update_wrapper(replacement, getattr(OAuthToken, redemption.method))
    return replacement
