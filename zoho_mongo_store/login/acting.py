"""Whom a thread makes its API calls as: nobody, but for the blocks of ``acting_as``."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from zoho_mongo_store.login.user import ZohoUser
from zoho_mongo_store.refresh.errors import LoginRequiredError
from zoho_mongo_store.sdk import (
    REFUSED,
    DataCenter,
    Initializer,
    OAuthToken,
    SDKException,
    Token,
    UserSignature,
    using,
)
from zoho_mongo_store.store import MongoTokenStore


class NoUserError(SDKException):
    """An API call, or ``acting_as``, without a user.

    Attributes:
        code: ``"NO_USER"``.
    """

    def __init__(self, message: str) -> None:
        """Create the error.

        Args:
            message: What to do.
        """
        super().__init__("NO_USER", message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.error_message,)


class Nobody(Token):
    """The token of a thread that serves no user."""

    def authenticate(self, url_connection: Any) -> None:
        """Refuse an API call; only the SDK's own look-up of a user brings its own authorization."""
        if "Authorization" not in url_connection.headers:
            raise NoUserError("no user: make API calls in a block `with acting_as(user):`")

    def remove(self) -> bool:
        """There is nothing to delete."""
        return False

    def generate_token(self) -> None:
        """There is nothing to get."""


NOBODY = Nobody()


def initialize_as_nobody(
    store: MongoTokenStore,
    environment: DataCenter.Environment,
    environments: Mapping[str, DataCenter.Environment],
    **options: Any,
) -> None:
    """Initialize the SDK for this process, with nobody as its user.

    Args:
        store: Of all users' tokens.
        environment: Of a user whose data centre is not known.
        environments: Of the users' data centres, by the address of their API.
        options: Of ``Initializer.initialize``.
    """
    if not isinstance(store, MongoTokenStore):
        raise TypeError(f"store has to be a MongoTokenStore, not {type(store).__name__}")
    Initializer.initialize(environment, NOBODY, store, **options)
    initialized: Any = Initializer.initializer
    initialized.environments = environments


@contextmanager
def acting_as(user: ZohoUser | str | None = None, *, id: str | None = None) -> Iterator[OAuthToken]:
    """Make the API calls of the block as a user, in this thread.

    Blocks can be nested. After the last one, and in other threads, there is no user, and an API
    call raises ``NoUserError``; it never goes as somebody else. The block sends each call to the
    user's data centre. It begins with one find; the calls refresh the token if it is due.

    Do not ``yield`` in the block: whoever goes on in this thread meanwhile acts as the user.

    Args:
        user: The user's name, or what ``ZohoLogin.complete`` returned.
        id: In place of a name, the id of the stored token.

    Yields:
        The user's token, whose ``get_token()`` gives the access token that the calls go with. Name
        it to ``MongoTokenStore.expire_access_token`` if the API answers ``INVALID_TOKEN``.

    Raises:
        NoUserError: There is neither: nobody is logged in.
        LoginRequiredError: No such user is stored: the user has to log in.
        RuntimeError: The thread runs a coroutine, which shares it with others. Or the SDK is not
            initialized by ``ZohoLogin.initialize``.
    """
    _refuse_coroutine()
    process = initialized_process()
    token = _find(process.store, user, id)
    environments: Mapping[str | None, DataCenter.Environment] = process.environments
    domain = token.get_api_domain()
    environment = environments.get(domain) or DataCenter.get(domain or "-") or process.environment
    own = initializer_for(token, environment)
    try:
        with using(own):
            yield token
    finally:
        # Also for a thread that could not be told, as the block ended in another one.
        own.token = NOBODY


def initialized_process() -> Any:
    """Give what the SDK was initialized with, for nobody.

    Raises:
        RuntimeError: It was not, or for somebody, as whom a forgotten block would act.
    """
    process = Initializer.initializer
    if process is None or process.token is not NOBODY:
        raise RuntimeError(
            "call ZohoLogin.initialize(store) once in each process, in place of "
            "Initializer.initialize: the SDK has to be initialized with nobody as its user"
        )
    return process


def initializer_for(token: OAuthToken, environment: DataCenter.Environment) -> Initializer:
    """Make the state of a thread that acts by ``token``, apart from all other threads'.

    The SDK changes the environment of the state that it acts by. ``switch_user`` makes such a state
    too, but it drops the proxy, and it calls Zoho before the data centre is known.
    """
    process = initialized_process()
    own: Any = Initializer()
    vars(own).update(vars(process))
    own.token, own.environment = token, environment
    result: Initializer = own
    return result


def _refuse_coroutine() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "acting_as in a coroutine: the SDK's user is the thread's, which other coroutines share. "
        "Do it in a function, and run that by run_in_threadpool or asyncio.to_thread"
    )


def _find(store: MongoTokenStore, user: ZohoUser | str | None, id: str | None) -> OAuthToken:
    if user and id:
        raise TypeError("acting_as takes a user or an id, not both")
    if isinstance(user, ZohoUser):
        id = user.id
    if id:
        found = store.find_token_by_id(id)
    elif isinstance(user, str) and user:
        found = store.find_token(OAuthToken(user_signature=UserSignature(user)))
    else:
        raise NoUserError("no user: nobody is logged in")
    if found is None:
        raise LoginRequiredError(REFUSED, "no token is stored for this user, who has to log in")
    return found
