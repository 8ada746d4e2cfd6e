"""Login with Zoho, as a test or a demo drives it."""

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
        """Register an application, as Zoho's API console does, or change one.

        Args:
            redirect_uris: Where the authorize page may send a browser. The request has to name one
                of them, letter by letter, and the exchange of the grant token the same one.
            name: What the authorize page calls the application.
            client_id: Its client id. The default one is known from the start, without addresses.
            client_secret: Its client secret, in all data centres.

        Raises:
            TypeError: ``redirect_uris`` is one address in place of a list.
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
        """Add somebody whom the authorize page offers, in this data centre.

        One user, ``ada@example.com``, is there from the start, in the first data centre.

        Args:
            user: The e-mail address.
            org: The organization's id (``zgid``).
        """
        self._ask("add_user", user=user, org=org)

    def accept(self, authorize_url: str, user: str | None = None) -> str:
        """Log in on the authorize page and press "Accept", without a browser.

        The page stands for Zoho's sign-in as well as for its consent, and so it is shown each time;
        Zoho itself skips the consent of a user who has given it before, unless the request has
        ``prompt=consent``. The tokens are as with Zoho: without ``access_type=offline`` there is no
        refresh token, and while a refresh token of the user's for the client is alive, there is
        another one only with ``prompt=consent``. The grant token can be exchanged for 2 minutes.

        Args:
            authorize_url: The address that an application sends its user to.
            user: The e-mail address of who logs in. Default: whom the page has chosen (the one of
                ``login_hint``, else the first).

        Returns:
            The address that the browser is sent to: the application's ``redirect_uri`` with
            ``code``, ``location``, ``accounts-server`` and ``state``.

        Raises:
            ValueError: Zoho refuses the request, such as for ``invalid_redirect_uri``, or does not
                know the user. Or the address leads elsewhere; nothing is then sent there.
        """
        self._check_own(authorize_url)
        return browser.press("accept", authorize_url, user)

    def reject(self, authorize_url: str) -> str:
        """Press "Reject" on the authorize page, without a browser.

        Returns:
            The application's ``redirect_uri`` with ``error=access_denied`` and ``state``.

        Raises:
            ValueError: Zoho refuses the request, or the address leads elsewhere.
        """
        self._check_own(authorize_url)
        return browser.press("reject", authorize_url)

    def _check_own(self, authorize_url: str) -> None:
        own = self._data_centers().values()
        if not any(authorize_url.startswith(f"{url}/") for url in own):
            raise ValueError(
                f"authorize: the address is not of this Zoho ({', '.join(own)}): pass "
                "data_centers=loopback_zoho.environments() to ZohoLogin"
            )
