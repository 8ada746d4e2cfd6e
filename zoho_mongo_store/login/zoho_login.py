"""Logs users in with Zoho: builds the authorize URL and completes the callback."""

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

    Create one in each process, with the same arguments everywhere, and call ``initialize`` once. It
    keeps no state per user and serves all threads.
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
        """Create the login. Nothing is sent over the network.

        Args:
            client_id: The client's id in Zoho's API console.
            client_secret: The client's secret.
            redirect_url: The URL to which Zoho sends the user back, exactly as registered. It must
                begin with https, except for ``localhost`` and loopback addresses.
            scopes: What the application may do for its users. They must include
                ``ZohoCRM.users.READ`` and ``ZohoCRM.org.READ``, which are the default: they let the
                application ask who logged in.
            data_center: Where the client is registered and logins begin: ``"us"``, ``"eu"``,
                ``"in"``, ``"au"``, ``"jp"``, ``"ca"``, ``"sa"`` or ``"cn"``, if the SDK knows it.
                The callback names the user's own data centre.
            environment: ``"production"``, ``"sandbox"`` or ``"developer"``.
            data_centers: The data centres by name, instead of Zoho's own: those of a loopback Zoho,
                or one that the SDK does not know yet. The client secret may be sent to each of
                them.

        Raises:
            ValueError: An argument is invalid; the message names it.
        """
        if not client_id or not client_secret:
            raise ValueError(
                "client_id and client_secret must not be empty: take both from Zoho's API console"
            )
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_url = checked_redirect_url(redirect_url)
        self._scopes = checked_scopes(scopes)
        self._data_centers = DataCenters(data_center, environment, data_centers)

    def initialize(self, store: MongoTokenStore, **options: Any) -> None:
        """Initialize the SDK for this process, instead of ``Initializer.initialize``.

        The process then has no user of its own: API calls work only in a block of ``acting_as``.

        Args:
            store: The store that holds all users' tokens.
            options: ``sdk_config``, ``resource_path``, ``logger`` and ``proxy``, as for
                ``Initializer.initialize``. The SDK keeps the fields of modules in files in
                ``resource_path``. Default: a temporary folder of this process.
        """
        centers = self._data_centers
        initialize_as_nobody(store, centers.default, centers.by_url, **options)

    @staticmethod
    def new_state() -> str:
        """Return an unguessable state. Keep it in the user's session until the callback."""
        return secrets.token_urlsafe(32)

    def authorize_url(
        self, state: str, *, prompt: str | None = "consent", login_hint: str | None = None
    ) -> str:
        """Build the URL of the Zoho page where the user logs in and gives consent.

        It requests offline access (``access_type=offline``): without it, the login would end after
        an hour.

        Args:
            state: A state from ``new_state``.
            prompt: ``"consent"``, the default, asks for consent at every login. With ``None``, a
                user who has given consent before is not asked again; Zoho then sends no new refresh
                token, and the stored one stays in use. If that one has been deleted, only
                ``"consent"`` gets another.
            login_hint: The e-mail address to log in with, if known.

        Raises:
            ValueError: The state is empty.
        """
        if not state:
            raise ValueError("state must not be empty: create one with new_state()")
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

        The same callback may arrive twice, or at several instances: its grant token is exchanged
        once, and every call returns the same user. With a different state it is refused, so a
        stolen callback URL is useless.

        Args:
            callback_parameters: The request's query parameters, such as Flask's ``request.args``.
            state: The state that this user's login began with. Remove it from the user's session.

        Returns:
            The user who logged in. Give the user a new session, and keep the name or the id in it.

        Raises:
            TypeError: ``callback_parameters`` is not a mapping: it is the URL, for example.
            InvalidStateError: The request has a different state, or none.
            AccessDeniedError: The user pressed "Reject".
            UnknownDataCenterError: The request names a data centre that this login does not know.
            CallbackError: The request logs nobody in for another reason. It is the base class of
                the three above.
            LoginRequiredError: Zoho refused the grant token, which is valid for two minutes.
            RefreshPausedError: Zoho cannot be asked now, or did not answer; try again later.
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
        # SDK 5 does not look the user up.
        signature = _look_up(token, store)
        token.set_user_signature(signature)
        store.save_token(token)
    elif token.get_id() is None:
        # SDK 6 to 8 ignore a failed save; this one raises.
        store.save_token(token)
    return ZohoUser(signature.get_name(), str(token.get_id()))


def _look_up(token: OAuthToken, store: MongoTokenStore) -> UserSignature:
    try:
        return UserSignature(current_user_name())
    except Exception as error:
        # The SDK turns a refusal into an AttributeError.
        logger.warning("Could not look up the user of a login (%s)", type(error).__name__)
    id = token.get_id()
    if id is not None:
        store.delete_token(id)
    raise CallbackError(
        "Zoho does not say who logged in: check that the user has access to Zoho CRM"
    )
