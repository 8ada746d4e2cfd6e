"""The tokens of the loopback Zoho, as a test or demo issues and ends them."""

from __future__ import annotations

from zoho_mongo_store.testing.zoho.protocol import CLIENT_ID, CLIENT_SECRET, ORG, USER
from zoho_mongo_store.testing.zoho.server import ZohoServer


class TokenHandle(ZohoServer):
    """Issues tokens, ends them, and moves the clock that they expire by."""

    def grant(
        self,
        user: str = USER,
        org: str = ORG,
        *,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
    ) -> str:
        """Issue a grant token, as if a user had given consent.

        Args:
            user: The user's e-mail address.
            org: The organization's id (``zgid``). In the SDK, the user's name is
                ``"<user>:<org>"``.
            client_id: The only client that can exchange it.
            client_secret: That client's secret from now on.
        """
        return self._ask_for_token("grant", user, org, client_id, client_secret)

    def refresh_token(
        self,
        user: str = USER,
        org: str = ORG,
        *,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
    ) -> str:
        """Issue a refresh token, without an exchange. Arguments as for :meth:`grant`."""
        return self._ask_for_token("refresh_token", user, org, client_id, client_secret)

    def access_token(self, refresh_token: str) -> str:
        """Issue a live access token that does not count towards the limit of 10 in 10 minutes.

        Raises:
            ValueError: The refresh token is unknown or revoked.
        """
        return str(self._ask("access_token", refresh_token=refresh_token))

    def expire(self, access_token: str) -> None:
        """End an access token early: Zoho then answers it with ``INVALID_TOKEN``.

        Raises:
            ValueError: The access token is unknown, or has already ended.
        """
        self._ask("expire", access_token=access_token)

    def revoke(self, refresh_token: str) -> None:
        """End a login at Zoho, as its user does in Zoho's settings.

        Raises:
            ValueError: The refresh token is unknown, or has already been revoked.
        """
        self._ask("revoke", refresh_token=refresh_token)

    def is_live(self, access_token: str) -> bool:
        """Whether Zoho accepts the access token now."""
        return bool(self._ask("is_live", access_token=access_token))

    def advance(self, seconds: float) -> None:
        """Move Zoho's clock forward: tokens expire, its 10 minutes pass. This machine's stays."""
        self._ask("advance", seconds=seconds)

    def _ask_for_token(
        self, operation: str, user: str, org: str, client_id: str, client_secret: str
    ) -> str:
        client = {"client_id": client_id, "client_secret": client_secret}
        return str(self._ask(operation, user=user, org=org, **client))
