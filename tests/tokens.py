"""Makes tokens, and shows what is in them."""

from typing import Any

from zoho_mongo_store.sdk import OAuthToken, UserSignature

CLIENT = {"client_id": "1000.CLIENT", "client_secret": "client-secret"}
FIELDS = (
    "id",
    "client_id",
    "client_secret",
    "refresh_token",
    "access_token",
    "grant_token",
    "expires_in",
    "redirect_url",
    "api_domain",
)
TEXT_FIELDS = tuple(field for field in FIELDS if field != "expires_in")


def make_token(
    *, user_name: str | None = None, expires_in: str | None = None, **fields: Any
) -> OAuthToken:
    """A token with these fields and no others."""
    signature = None if user_name is None else UserSignature(user_name)
    token = OAuthToken(user_signature=signature, **fields)
    token.set_expires_in(expires_in)
    return token


def contents(token: OAuthToken | None) -> dict[str, Any]:
    """The fields of a token that are not ``None``, with its user's name."""
    assert token is not None
    values = {field: getattr(token, f"get_{field}")() for field in FIELDS}
    signature = token.get_user_signature()
    values["user_name"] = signature.get_name() if signature else None
    return {field: value for field, value in values.items() if value is not None}


def full(**changes: Any) -> OAuthToken:
    """A token with every field, as it is after a login."""
    fields: dict[str, Any] = {
        "user_name": "ada@example.com:1",
        "refresh_token": "1000.refresh",
        "access_token": "1000.access",
        "grant_token": "1000.grant",
        "expires_in": "1795529348123",
        "redirect_url": "https://example.com/callback",
        "api_domain": "http://127.0.0.1:1",
        **CLIENT,
        **changes,
    }
    return make_token(**{name: value for name, value in fields.items() if value is not None})
