"""Login with Zoho, as a test or demo drives it."""

from __future__ import annotations

from collections.abc import Iterable

from zoho_mongo_store.testing.zoho import browser
from zoho_mongo_store.testing.zoho.protocol import CLIENT_ID, CLIENT_SECRET, ORG
from zoho_mongo_store.testing.zoho.server import ZohoServer


class LoginHandle(ZohoServer):
    """Registers clients and users, and logs in on the authorize page."""

    def register_client(
        self,
        redirect_uris: Iterable[str],
        *,
        name: str = "Loopback client",
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
    ) -> None:
        """Register or change an application, as in Zoho's API console.

        Args:
            redirect_uris: The URLs to which the authorize page may redirect a browser. The request
                must name exactly one of these, and so must the exchange of the grant token.
            name: The application's name on the authorize page.
            client_id: Its client id. The default one exists from the start, without redirect URLs.
            client_secret: Its client secret, in all data centres.

        Raises:
            TypeError: ``redirect_uris`` is a single URL instead of a list.
        """
        if isinstance(redirect_uris, str):
            raise TypeError(f"redirect_uris must be a list: [{redirect_uris!r}]")
        self._ask(
            "register_client",
            client_id=client_id,
            client_secret=client_secret,
            name=name,
            redirect_uris=list(redirect_uris),
        )

    def add_user(self, user: str, org: str = ORG) -> None:
        """Add a user to this data centre, whom the authorize page then offers.

        One user, ``ada@example.com``, exists from the start, in the first data centre.

        Args:
            user: The e-mail address.
            org: The organization's id (``zgid``).
        """
        self._ask("add_user", user=user, org=org)

    def accept(self, authorize_url: str, user: str | None = None) -> str:
        """Log in on the authorize page and press "Accept", without a browser.

        The page combines Zoho's sign-in and consent, so it is always shown. Zoho itself skips the
        consent of a user who has given it before, unless the request has ``prompt=consent``. Tokens
        are issued as by Zoho: without ``access_type=offline`` there is no refresh token, and while
        the user has a valid refresh token for the client, there is another only with
        ``prompt=consent``. The grant token can be exchanged for 2 minutes.

        Args:
            authorize_url: The URL to which an application sends its user.
            user: The e-mail address of the user who logs in. Default: the one selected on the page
                (that of ``login_hint``, else the first).

        Returns:
            The URL to which the browser is redirected: the application's ``redirect_uri`` with
            ``code``, ``location``, ``accounts-server`` and ``state``.

        Raises:
            ValueError: Zoho refuses the request, for example with ``invalid_redirect_uri``, or does
                not know the user. Or the URL is not one of this Zoho; then nothing is sent to it.
        """
        self._check_own(authorize_url)
        return browser.press("accept", authorize_url, user)

    def reject(self, authorize_url: str) -> str:
        """Press "Reject" on the authorize page, without a browser.

        Returns:
            The application's ``redirect_uri`` with ``error=access_denied`` and ``state``.

        Raises:
            ValueError: Zoho refuses the request, or the URL is not one of this Zoho.
        """
        self._check_own(authorize_url)
        return browser.press("reject", authorize_url)

    def _check_own(self, authorize_url: str) -> None:
        own = self._data_centers().values()
        if not any(authorize_url.startswith(f"{url}/") for url in own):
            raise ValueError(
                f"authorize: the URL is not one of this Zoho ({', '.join(own)}): pass "
                "data_centers=loopback_zoho.environments() to ZohoLogin"
            )
