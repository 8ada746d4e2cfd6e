"""The tokens that the loopback Zoho has issued, and Zoho's limits on them. Kept in memory."""

from __future__ import annotations

import secrets
import threading
import time

from zoho_mongo_store.testing.zoho.credentials import Account, Grant, Issued, Login, RefusalError
from zoho_mongo_store.testing.zoho.directory import Directory

CODE_LIFETIME = 120.0
WINDOW = 600.0
TOKENS_PER_WINDOW = 10
LIVE_TOKENS = 10


class Tokens:
    """Issues, exchanges and revokes tokens as Zoho does. Thread-safe.

    A grant token can be exchanged once. A refresh token yields at most 10 access tokens in any 10
    minutes, and at most 10 are live: the oldest is dropped first (Zoho's limits). Times are on a
    clock that :meth:`advance` moves.

    Args:
        directory: The clients.
    """

    def __init__(self, directory: Directory) -> None:
        self._lock = threading.RLock()
        self._ahead = 0.0
        self._directory = directory
        self._grants: dict[str, Grant] = {}
        self._logins: dict[str, Login] = {}
        self._owners: dict[str, Login] = {}

    def now(self) -> float:
        """Return Zoho's time in seconds since the epoch."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move Zoho's clock forward."""
        with self._lock:
            self._ahead += seconds

    def issue_grant(self, user: str, org: str, client_id: str, client_secret: str) -> str:
        """Issue a grant token as for a self client, and register the client."""
        self._directory.set_secret(client_id, client_secret)
        return self._keep(Grant(Account(user, org, client_id)))

    def issue_code(
        self, account: Account, redirect_uri: str, *, offline: bool, new_consent: bool
    ) -> str:
        """Issue a grant token for the authorize page.

        Args:
            account: Who accepted, and what.
            redirect_uri: Where it is sent; its exchange must name the same URL.
            offline: Whether the request had ``access_type=offline``.
            new_consent: Whether it had ``prompt=consent``. Without it, there is no second refresh
                token while this user has a valid one for this client.
        """
        with self._lock:
            offline = offline and (new_consent or not self._has_login(account))
            return self._keep(Grant(account, redirect_uri, offline, self.now() + CODE_LIFETIME))

    def issue_refresh_token(self, user: str, org: str, client_id: str, client_secret: str) -> str:
        """Issue a refresh token, like the exchange of a grant token."""
        self._directory.set_secret(client_id, client_secret)
        with self._lock:
            login = self._log_in(Account(user, org, client_id))
            return login.refresh_token

    def issue_access_token(self, refresh_token: str, lifetime: float) -> str:
        """Issue an access token that does not count towards the limit on refreshes.

        Raises:
            RefusalError: The refresh token is unknown or revoked.
        """
        with self._lock:
            if refresh_token not in self._logins:
                raise RefusalError("invalid_code")
            return self._issue(self._logins[refresh_token], lifetime)

    def exchange(
        self, code: str, client_id: str, client_secret: str, redirect_uri: str, lifetime: float
    ) -> Issued:
        """Redeem a grant token for an access token, and a refresh token if it is offline.

        Raises:
            RefusalError: The client or the redirect URL is not that of the grant token, or the
                grant token is used, expired or unknown.
        """
        with self._lock:
            self._check_client(client_id, client_secret)
            grant = self._grants.get(code)
            if grant is None or grant.account.client_id != client_id:
                raise RefusalError("invalid_code")
            if grant.expiry is not None and grant.expiry <= self.now():
                raise RefusalError("invalid_code")
            if grant.redirect_uri not in (None, redirect_uri):
                raise RefusalError("invalid_redirect_uri")
            del self._grants[code]
            if not grant.offline:
                return Issued(self._issue(Login(grant.account, ""), lifetime))
            login = self._log_in(grant.account)
            return Issued(self._issue(login, lifetime), login.refresh_token)

    def refresh(
        self, refresh_token: str, client_id: str, client_secret: str, lifetime: float
    ) -> Issued:
        """Issue an access token for a refresh token.

        Raises:
            RefusalError: As in :meth:`exchange`, or too many access tokens in 10 minutes.
        """
        with self._lock:
            self._check_client(client_id, client_secret)
            login = self._logins.get(refresh_token)
            if login is None or login.account.client_id != client_id:
                raise RefusalError("invalid_code")
            while login.refreshed and login.refreshed[0] <= self.now() - WINDOW:
                login.refreshed.popleft()
            if len(login.refreshed) >= TOKENS_PER_WINDOW:
                raise RefusalError("Access Denied")
            login.refreshed.append(self.now())
            return Issued(self._issue(login, lifetime))

    def revoke(self, refresh_token: str) -> None:
        """Forget a refresh token and all its access tokens.

        Raises:
            RefusalError: It is unknown, or has already been revoked.
        """
        with self._lock:
            login = self._logins.pop(refresh_token, None)
            if login is None:
                raise RefusalError("invalid_token")
            for access_token in list(login.live):
                self.expire(access_token)

    def expire(self, access_token: str) -> None:
        """End an access token early.

        Raises:
            RefusalError: It is unknown, or has already ended.
        """
        with self._lock:
            if access_token not in self._owners:
                raise RefusalError("invalid_token")
            del self._owners.pop(access_token).live[access_token]

    def account(self, access_token: str) -> Account | None:
        """Return whose access token it is, or None if it is not live."""
        with self._lock:
            login = self._owners.get(access_token)
            if login is None or login.live[access_token] <= self.now():
                return None
            return login.account

    def _check_client(self, client_id: str, client_secret: str) -> None:
        client = self._directory.client(client_id)
        if client is None or client.secret != client_secret:
            raise RefusalError("invalid_client")

    def _keep(self, grant: Grant) -> str:
        token = _token()
        with self._lock:
            self._grants[token] = grant
        return token

    def _has_login(self, account: Account) -> bool:
        of_user = (account.user, account.org, account.client_id)
        return any(
            of_user == (other.user, other.org, other.client_id)
            for other in (login.account for login in self._logins.values())
        )

    def _log_in(self, account: Account) -> Login:
        login = Login(account, refresh_token=_token())
        self._logins[login.refresh_token] = login
        return login

    def _issue(self, login: Login, lifetime: float) -> str:
        for access_token, expiry in list(login.live.items()):
            if expiry <= self.now():
                self.expire(access_token)
        if len(login.live) >= LIVE_TOKENS:
            self.expire(next(iter(login.live)))
        access_token = _token()
        login.live[access_token] = self.now() + lifetime
        self._owners[access_token] = login
        return access_token


def _token() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
