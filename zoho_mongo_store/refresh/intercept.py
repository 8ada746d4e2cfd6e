"""Makes the tokens that the store hands out go through the fleet's coordination to reach Zoho."""

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any, Protocol

from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.sdk import OAuthToken

_SAVED = "_zoho_mongo_store_saved"
_LOGIN_REQUIRED = "_zoho_mongo_store_login_required"


class Arm(Protocol):
    """Makes a token go through the fleet's coordination to reach Zoho."""

    def __call__(self, token: OAuthToken, *, login_required: bool = False) -> None:
        """Arm a token. It remembers whether its find saw that a login is required."""


def intercept(redeem: Callable[[OAuthToken, Redemption, str], None]) -> Arm:
    """Create a function that makes a token call ``redeem`` instead of asking Zoho itself.

    ``OAuthToken.get_token`` calls ``refresh_access_token`` or ``generate_access_token`` on the
    token that the store handed out. These two are replaced on the instance. The replacements have
    the names of the class's methods, so a pickled token gets the originals back and a copied one
    keeps the replacements.

    Args:
        redeem: Called with the token, what to redeem and the URL for it.
    """
    methods = [(redemption.method, _replacement(redemption, redeem)) for redemption in Redemption]

    def arm(token: OAuthToken, *, login_required: bool = False) -> None:
        attributes = token.__dict__
        for name, method in methods:
            attributes[name] = MethodType(method, token)
        attributes[_LOGIN_REQUIRED] = login_required

    return arm


def mark_saved(token: OAuthToken) -> None:
    """Remember that the access token of ``token`` is already stored.

    So the SDK's own save, which follows the refresh, cannot replace a newer one with it.
    """
    token.__dict__[_SAVED] = (token.get_access_token(), token.get_expires_in())


def pop_saved_mark(token: object) -> bool:
    """Whether ``token`` is unchanged since ``mark_saved``. The mark is good for one save."""
    mark: Any = getattr(token, "__dict__", {}).pop(_SAVED, None)
    return (
        mark is not None
        and isinstance(token, OAuthToken)
        and mark == (token.get_access_token(), token.get_expires_in())
    )


def was_login_required(token: OAuthToken) -> bool:
    """Whether the find that led to ``token`` saw that a login is required."""
    return bool(token.__dict__.get(_LOGIN_REQUIRED))


def _replacement(
    redemption: Redemption, redeem: Callable[[OAuthToken, Redemption, str], None]
) -> Callable[[OAuthToken, object, str], OAuthToken]:
    def replacement(self: OAuthToken, first: object, url: str) -> OAuthToken:
        # SDK 6 to 8 pass the token, which is not self after a shallow copy; SDK 5 passes its store.
        token = first if isinstance(first, OAuthToken) else self
        redeem(token, redemption, url)
        return token

    functools.update_wrapper(replacement, getattr(OAuthToken, redemption.method))
    return replacement
