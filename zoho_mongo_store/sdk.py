"""What the store needs of the Zoho CRM SDK: the only file that knows the SDK's import paths.

The lines 5 to 8 of the SDK all install as ``zohocrmsdk`` and agree on these paths.
"""

import inspect
from enum import Enum

try:
    from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
    from zohocrmsdk.src.com.zoho.api.authenticator.store import TokenStore
    from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
    from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
    from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
    from zohocrmsdk.src.com.zoho.crm.api.user_signature import UserSignature
    from zohocrmsdk.src.com.zoho.crm.api.util import Utility
except ImportError as error:
    raise ImportError(
        "zoho_mongo_store needs the Zoho CRM SDK, which is not installed. Install one line of it: "
        "pip install 'zoho-mongo-store[crm8]' (or [crm7], [crm6], [crm5])."
    ) from error

__all__ = [
    "REFUSED",
    "DataCenter",
    "Initializer",
    "OAuthToken",
    "Redemption",
    "SDKException",
    "TokenStore",
    "UserSignature",
    "accounts_url",
    "redeem",
    "secrets_of",
    "set_user_name",
]

# Constants.INVALID_TOKEN_ERROR: Zoho answered, and without an access token (parse_response).
REFUSED = "INVALID TOKEN ERROR"


_SECRETS = (
    OAuthToken.get_client_secret,
    OAuthToken.get_refresh_token,
    OAuthToken.get_access_token,
    OAuthToken.get_grant_token,
)


class Redemption(Enum):
    """A way to an access token: the method that asks Zoho for it, and what that redeems."""

    REFRESH = ("refresh_access_token", "refresh_token")
    GRANT = ("generate_access_token", "grant_token")

    def __init__(self, method: str, credential: str) -> None:
        self.method = method
        self.credential = credential

    def credential_of(self, token: OAuthToken) -> str | None:
        """What ``token`` has to redeem."""
        value: str | None = getattr(token, f"get_{self.credential}")()
        return value or None


class _NoStore:
    """Stands in for the store that SDK 5's methods save to; they are saved after them instead."""

    def save_token(self, token: OAuthToken) -> None:
        """Does nothing."""


_SAVE_BY_THEMSELVES = "store" in inspect.signature(OAuthToken.refresh_access_token).parameters


def redeem(token: OAuthToken, redemption: Redemption, url: str) -> None:
    """Ask Zoho by the SDK's own method, which puts the answer into ``token`` and saves nothing.

    The request has no time-out (oauth_token.py, ``requests.post``). Raises ``SDKException``, with
    the code ``REFUSED`` when Zoho answered and gave no access token.
    """
    method = getattr(type(token), redemption.method)
    method(token, _NoStore() if _SAVE_BY_THEMSELVES else token, url)


def accounts_url(token: OAuthToken) -> str | None:
    """Where the SDK would send a refresh of ``token`` (oauth_token.py, ``get_token``): the data
    centre of its API domain, else the environment of ``initialize``. ``None`` before that."""
    initializer = Initializer.get_initializer()
    if initializer is None:
        return None
    environment = DataCenter.get(token.get_api_domain() or "-") or initializer.environment
    return None if environment is None else environment.accounts_url


def set_user_name(token: OAuthToken) -> None:
    """Look up whose ``token`` is, where the SDK itself would do so after this (6 to 8, unless
    ``find_user=False``), so that a user's second login is known as such when it is first saved."""
    if token.get_user_signature() is not None or not getattr(
        token, "_OAuthToken__find_user", False
    ):
        return
    name = Utility.get_user_name(token.get_access_token())
    if name is not None:
        token.set_user_signature(UserSignature(name))


def secrets_of(token: object) -> list[str]:
    """The texts in ``token`` that must never be shown."""
    if not isinstance(token, OAuthToken):
        return []
    values = (getter(token) for getter in _SECRETS)
    return [value for value in values if isinstance(value, str) and value]
