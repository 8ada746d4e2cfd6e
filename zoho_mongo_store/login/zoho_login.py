"""Logging a user in at Zoho: the authorize URL, and the callback."""

import logging
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from zoho_mongo_store.login.acting import initialize_as_nobody, initialized_process, initializer_for
from zoho_mongo_store.login.callback import code_of
from zoho_mongo_store.login.callback_errors import CallbackError
from zoho_mongo_store.login.data_centers import DataCenters, Kind
from zoho_mongo_store.login.redirect_url import checked_redirect_url
from zoho_mongo_store.login.scopes import USER_SCOPES, checked_scopes
from zoho_mongo_store.login.user import ZohoUser
from zoho_mongo_store.sdk import DataCenter, OAuthToken, UserSignature, current_user_name, using
from zoho_mongo_store.store import MongoTokenStore

logger = logging.getLogger("zoho_mongo_store")


class ZohoLogin:
    """Login with Zoho for one OAuth client.

    All processes make one with the same arguments and call ``initialize`` once. It holds no user's
    state, and serves all threads.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        redirect_url: str,
        *,
        scopes: Iterable[str] = USER_SCOPES,
        data_center: str = "us",
        environment: Kind = "production",
        data_centers: Mapping[str, DataCenter.Environment] | None = None,
    ) -> None:
        """Create it; nothing is sent.

        Args:
            client_id: Of the client in Zoho's API console.
            client_secret: Its secret.
            redirect_url: Where Zoho sends the user back to; letter by letter as it is registered.
                It has to be https, but for ``localhost`` and the loopback addresses.
            scopes: What the application may do for its users. ``ZohoCRM.users.READ`` and
                ``ZohoCRM.org.READ``, the default, have to be among them: they tell who logged in.
            data_center: Where the client is registered, and logins begin: ``"us"``, ``"eu"``,
                ``"in"``, ``"au"``, ``"jp"``, ``"ca"``, ``"sa"`` or ``"cn"``, as far as the SDK
                knows it. The callback of a user names the user's own.
            environment: ``"production"``, ``"sandbox"`` or ``"developer"``.
            data_centers: In place of Zoho's own, by name: those of a Zoho on this machine, or one
                that the SDK does not know yet. The client secret may be sent to each.

        Raises:
            ValueError: An argument cannot be right; the message says which.
        """
        if not client_id or not client_secret:
            raise ValueError("client_id and client_secret have to be those of Zoho's API console")
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_url = checked_redirect_url(redirect_url)
        self._scopes = checked_scopes(scopes)
        self._data_centers = DataCenters(data_center, environment, data_centers)

    def initialize(self, store: MongoTokenStore, **options: Any) -> None:
        """Initialize the SDK for this process, in place of ``Initializer.initialize``.

        The process then acts as nobody: API calls work in the blocks of ``acting_as`` alone.

        Args:
            store: Of all users' tokens.
            options: ``sdk_config``, ``resource_path``, ``logger`` and ``proxy``, as for
                ``Initializer.initialize``.
        """
        centers = self._data_centers
        initialize_as_nobody(store, centers.default, centers.by_url, **options)

    @staticmethod
    def new_state() -> str:
        """Make an unguessable state. Keep it in the user's session until the callback."""
        return secrets.token_urlsafe(32)

    def authorize_url(
        self, state: str, *, prompt: str | None = "consent", login_hint: str | None = None
    ) -> str:
        """Build the address of Zoho's page on which the user logs in and accepts.

        It asks for access while the user is away (``access_type=offline``), without which the login
        would end after an hour.

        Args:
            state: From ``new_state``.
            prompt: ``"consent"``, the default, asks the user each time. ``None`` does not ask one
                who has accepted before; Zoho then sends no new refresh token, and the stored one
                stays in use. If it has been deleted, only ``"consent"`` brings another.
            login_hint: The e-mail address to log in with, if it is known.

        Raises:
            ValueError: The state is empty.
        """
        if not state:
            raise ValueError("state has to be one from new_state()")
        fields = {
            "response_type": "code",
            "client_id": self._client_id,
            "scope": ",".join(self._scopes),
            "redirect_uri": self._redirect_url,
            "access_type": "offline",
            "prompt": prompt,
            "login_hint": login_hint,
            "state": state,
        }
        given = {name: value for name, value in fields.items() if value is not None}
        return f"{self._data_centers.authorize_url}?{urlencode(given)}"

    def complete(self, callback_parameters: Mapping[str, str], state: str | None) -> ZohoUser:
        """Log in the user whom Zoho sent back, and store the token.

        The same callback may arrive at several instances, or twice: its grant token is exchanged
        once, and each returns the same user. Brought with another state it is refused, so a
        callback's address that somebody comes by is of no use.

        Args:
            callback_parameters: The query of the request, such as Flask's ``request.args``.
            state: The one that this user's login began with: take it out of the user's session.

        Returns:
            Who logged in. Give the user a new session, and keep the name or the id in it.

        Raises:
            InvalidStateError: The request has another state, or none.
            AccessDeniedError: The user rejected.
            UnknownDataCenterError: The request names a data centre that is not among Zoho's.
            CallbackError: The request logs nobody in for another reason. It is the base class of
                the three above.
            LoginRequiredError: Zoho refused the grant token, which lives for two minutes.
            RefreshPausedError: Zoho does not answer now.
            SDKException: MongoDB failed.
        """
        code = code_of(callback_parameters, state)
        environment = self._data_centers.of_callback(callback_parameters)
        token = OAuthToken(
            self._client_id,
            self._client_secret,
            grant_token=code,
            redirect_url=self._redirect_url,
        )
        store: MongoTokenStore = initialized_process().store
        if not store.claim_grant_token(token, str(state)):
            raise CallbackError("the callback's grant token belongs to another login")
        with using(initializer_for(token, environment)):
            token.get_token()
            return _user_of(token, store)

    def __repr__(self) -> str:
        return f"ZohoLogin(client_id={self._client_id!r}, redirect_url={self._redirect_url!r})"


def _user_of(token: OAuthToken, store: MongoTokenStore) -> ZohoUser:
    signature = token.get_user_signature()
    if signature is None:
        # SDK 5 does not ask.
        signature = _look_up(token, store)
        token.set_user_signature(signature)
        store.save_token(token)
    elif token.get_id() is None:
        # SDK 6 to 8 go on after a save that failed; this one tells why.
        store.save_token(token)
    return ZohoUser(signature.get_name(), str(token.get_id()))


def _look_up(token: OAuthToken, store: MongoTokenStore) -> UserSignature:
    try:
        return UserSignature(current_user_name())
    except Exception as error:
        # What the SDK makes of a refusal is an AttributeError.
        logger.warning("The user of a login could not be looked up (%s)", type(error).__name__)
    id = token.get_id()
    if id is not None:
        store.delete_token(id)
    raise CallbackError("Zoho does not tell who logged in: has the user access to Zoho CRM?")
