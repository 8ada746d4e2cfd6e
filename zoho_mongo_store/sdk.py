"""What the store needs from the Zoho CRM SDK. The only file that knows the SDK's import paths.

SDK 5 to 8 all install as ``zohocrmsdk`` and agree on these paths.
"""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from zoho_mongo_store.redemption import Redemption

try:
    from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
    from zohocrmsdk.src.com.zoho.api.authenticator.store import TokenStore
    from zohocrmsdk.src.com.zoho.api.authenticator.token import Token
    from zohocrmsdk.src.com.zoho.crm.api import dc
    from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
    from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
    from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
    from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
    from zohocrmsdk.src.com.zoho.crm.api.user_signature import UserSignature
    from zohocrmsdk.src.com.zoho.crm.api.util import Utility
except ImportError as error:
    raise ImportError(
        "zoho_mongo_store needs the Zoho CRM SDK, which is not installed. Install one version of "
        "it: pip install 'zoho-mongo-store[crm8]' (or [crm7], [crm6], [crm5])."
    ) from error

__all__ = [
    "REFUSED",
    "UNREACHED",
    "DataCenter",
    "Initializer",
    "OAuthToken",
    "SDKException",
    "Token",
    "TokenRequest",
    "TokenStore",
    "UserSignature",
    "accounts_url",
    "current_initializer",
    "current_user_name",
    "default_initializer",
    "lifetime",
    "organization_id",
    "secrets_of",
    "take_answer",
    "token_request",
    "user_name_of",
    "using",
    "zoho_data_centers",
]

REFUSED = "INVALID TOKEN ERROR"
"""Constants.INVALID_TOKEN_ERROR: Zoho answered without an access token (parse_response)."""
UNREACHED = "Exception in saving tokens"
"""Constants.SAVE_TOKEN_ERROR: the SDK's code for any other failure of a token request."""

_SECRETS = (
    OAuthToken.get_client_secret,
    OAuthToken.get_refresh_token,
    OAuthToken.get_access_token,
    OAuthToken.get_grant_token,
)
# SDK 5 puts the answer into the token itself, later versions into the token passed as an argument.
_PARSES_INTO_ARGUMENT = "oauth_token" in inspect.signature(OAuthToken.parse_response).parameters


class TokenRequest(NamedTuple):
    """A request for an access token, as the SDK sends it.

    Attributes:
        fields: The form fields, in the SDK's order; those that are ``None`` are left out.
        headers: The headers that ``requests`` does not set by itself.
        follows_redirects: Whether redirects are followed.
    """

    fields: dict[str, str | None]
    headers: dict[str, str] | None
    follows_redirects: bool


def token_request(token: OAuthToken, redemption: Redemption) -> TokenRequest:
    """Build the request that the SDK's own method sends.

    That method is ``refresh_access_token`` or ``generate_access_token`` (oauth_token.py).
    """
    if redemption is Redemption.REFRESH:
        fields = {
            "refresh_token": token.get_refresh_token(),
            "client_id": token.get_client_id(),
            "client_secret": token.get_client_secret(),
            "grant_type": "refresh_token",
        }
        return TokenRequest(fields, None, follows_redirects=False)
    fields = {
        "client_id": token.get_client_id(),
        "client_secret": token.get_client_secret(),
        "redirect_uri": token.get_redirect_url(),
        "grant_type": "authorization_code",
        "code": token.get_grant_token(),
    }
    return TokenRequest(fields, {"user-agent": "Mozilla/5.0"}, follows_redirects=True)


def take_answer(token: OAuthToken, answer: object) -> None:
    """Put Zoho's answer into ``token`` with the SDK's own ``parse_response``.

    Args:
        token: The token that was redeemed. If the answer is refused, it may be left half changed.
        answer: The JSON of the answer.

    Raises:
        SDKException: With the code ``REFUSED`` if the answer contains no access token.
        Exception: Whatever the SDK raises for an answer that differs from Zoho's documentation.
    """
    parse: Any = token.parse_response
    if _PARSES_INTO_ARGUMENT:
        parse(token, answer)
    else:
        parse(answer)


def lifetime(answer: Mapping[str, Any]) -> int:
    """Read the access token's lifetime in milliseconds from Zoho's answer, as the SDK does."""
    milliseconds: int = OAuthToken.get_token_expires_in(answer)
    return milliseconds


def current_initializer() -> object:
    """The SDK's state for this thread: from ``switch_user``, else from ``initialize``."""
    return Initializer.get_initializer()


def default_initializer() -> object:
    """Create the SDK's state, with its defaults, for a program that never calls ``initialize``.

    SDK 7 and 8 read their configuration for each answer (``parse_response``).
    """
    initializer = Initializer()
    initializer.sdk_config = SDKConfig()
    return initializer


@contextmanager
def using(initializer: object) -> Iterator[None]:
    """Make ``initializer`` the SDK's state in this thread for the block.

    If the block ends out of order or in another thread, that thread's state is left alone.
    """
    local: Any = Initializer.LOCAL
    before = getattr(local, "init", None)
    local.init = initializer
    try:
        yield
    finally:
        if getattr(local, "init", None) is initializer:
            local.init = before


def zoho_data_centers(kind: str) -> dict[str, DataCenter.Environment]:
    """Return the data centres that the SDK knows, by the names that Zoho uses in callbacks.

    Args:
        kind: ``"production"``, ``"sandbox"`` or ``"developer"``.
    """
    names = ("us", "eu", "in", "au", "jp", "ca", "sa", "cn")
    classes = {name: getattr(dc, f"{name.upper()}DataCenter", None) for name in names}
    return {name: getattr(one, kind.upper())() for name, one in classes.items() if one is not None}


def accounts_url(token: OAuthToken) -> str | None:
    """Where the SDK would send a refresh of ``token`` (oauth_token.py, ``get_token``).

    Returns:
        The URL of the token's data centre, found by its API domain, else that of the environment
        passed to ``initialize``; ``None`` before ``initialize`` has been called.
    """
    initializer = Initializer.get_initializer()
    if initializer is None:
        return None
    domain = token.get_api_domain() or "-"
    # Set by ZohoLogin, whose data centres need not be Zoho's own.
    others: Mapping[str, DataCenter.Environment] = getattr(initializer, "environments", {})
    environment = DataCenter.get(domain) or others.get(domain) or initializer.environment
    return None if environment is None else environment.accounts_url


def user_name_of(token: OAuthToken) -> str | None:
    """Ask Zoho which user ``token`` belongs to, if the SDK itself would do so later.

    SDK 6 to 8 do, unless ``find_user=False``. Asking before the first save lets a user's second
    login be recognized as such. The request has no timeout.
    """
    if token.get_user_signature() is not None or not getattr(
        token, "_OAuthToken__find_user", False
    ):
        return None
    name: str | None = Utility.get_user_name(token.get_access_token())
    return name


def current_user_name() -> str:
    """Ask the CRM API for the current user's name, in the form that SDK 6 to 8 use."""
    from zohocrmsdk.src.com.zoho.crm.api import ParameterMap
    from zohocrmsdk.src.com.zoho.crm.api.users import GetUsersParam, UsersOperations

    current = ParameterMap()
    current.add(GetUsersParam.type, "CurrentUser")
    response = UsersOperations().get_users(current)
    return f"{response.get_object().get_users()[0].get_email()}:{organization_id()}"


def organization_id() -> str:
    """Ask the CRM API for the id (``zgid``) of the current user's organization."""
    from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations

    response = OrgOperations().get_organization()
    return str(response.get_object().get_org()[0].get_zgid())


def secrets_of(token: object) -> list[str]:
    """List the secrets in ``token``, which must never be shown; empty for anything else."""
    if not isinstance(token, OAuthToken):
        return []
    values = (getter(token) for getter in _SECRETS)
    return [value for value in values if isinstance(value, str) and value]
