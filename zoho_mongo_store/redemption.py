"""The two ways to get an access token: with a refresh token or a grant token."""

from enum import Enum


class Redemption(Enum):
    """A way to get an access token.

    Attributes:
        method: The name of the SDK's method that asks Zoho for it.
        credential: The token's field that is redeemed.
    """

    REFRESH = ("refresh_access_token", "refresh_token")
    GRANT = ("generate_access_token", "grant_token")

    def __init__(self, method: str, credential: str) -> None:
        self.method = method
        self.credential = credential
