"""Handing a token out so that the SDK's own way to Zoho leads through the fleet's coordination."""

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any, Protocol

from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.sdk import OAuthToken

_SAVED = "_zoho_mongo_store_saved"
_LOGIN_REQUIRED = "_zoho_mongo_store_login_required"


class Arm(Protocol):
    """Lets a token that was found go to Zoho by the fleet's coordination."""

    def __call__(self, token: OAuthToken, *, login_required: bool = False) -> None:
        """Arm a token, which remembers whether its find saw that a login is required."""


def intercept(redeem: Callable[[OAuthToken, Redemption, str], None]) -> Arm:
    """Make a function that lets a token go to Zoho by ``redeem``.

    ``OAuthToken.get_token`` calls ``refresh_access_token`` or ``generate_access_token`` on the
    token that the store handed out; these two are replaced on the instance. They bear the names of
    the class's methods, so that a pickled token finds those again, and a copied one takes these
    along.

    Args:
        redeem: Called with the token, what it redeems and the address to redeem it at.
    """
    methods = [(redemption.method, _replacement(redemption, redeem)) for redemption in Redemption]

    def arm(token: OAuthToken, *, login_required: bool = False) -> None:
        attributes = token.__dict__
        for name, method in methods:
            attributes[name] = MethodType(method, token)
        attributes[_LOGIN_REQUIRED] = login_required

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


def was_login_required(token: OAuthToken) -> bool:
    """Whether the find that led to ``token`` saw that a login is required."""
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
