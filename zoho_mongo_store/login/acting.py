"""Which user a thread makes its API calls as: nobody, except in a block of ``acting_as``."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from zoho_mongo_store.login.sdk_folder import own_folder
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
    """An API call was made without a user, or ``acting_as`` was called without one.

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
        """Refuse the API call, unless it brings its own authorization.

        Only the SDK's look-up of a user does.
        """
        if "Authorization" not in url_connection.headers:
            raise NoUserError("no user: make API calls in a block `with acting_as(user):`")

    def remove(self) -> bool:
        """Return ``False``: there is nothing to delete."""
        return False

    def generate_token(self) -> None:
        """Do nothing: there is no token to get."""


NOBODY = Nobody()


def initialize_as_nobody(
    store: MongoTokenStore,
    environment: DataCenter.Environment,
    environments: Mapping[str, DataCenter.Environment],
    **options: Any,
) -> None:
    """Initialize the SDK for this process, without a user.

    Args:
        store: The store that holds all users' tokens.
        environment: The environment for users whose data centre is not known.
        environments: The environment of each data centre, by the URL of its API.
        options: Passed on to ``Initializer.initialize``.
    """
    if not isinstance(store, MongoTokenStore):
        raise TypeError(f"store must be a MongoTokenStore, not {type(store).__name__}")
    options["resource_path"] = options.get("resource_path") or own_folder()
    Initializer.initialize(environment, NOBODY, store, **options)
    initialized: Any = Initializer.initializer
    initialized.environments = environments


@contextmanager
def acting_as(user: ZohoUser | str | None = None, *, id: str | None = None) -> Iterator[OAuthToken]:
    """Make the API calls in this block as a user, in this thread only.

    Blocks can be nested. Outside of them, and in other threads, there is no user: an API call
    raises ``NoUserError`` and is never made as somebody else. Calls in the block go to the user's
    data centre. The block begins with one find; the calls refresh the token if it is due.

    Do not ``yield`` inside the block: whatever runs in this thread in the meantime would act as the
    user.

    Args:
        user: The user's name, or the ``ZohoUser`` that ``ZohoLogin.complete`` returned.
        id: The id of the stored token, instead of a user.

    Yields:
        The user's token. Its ``get_token()`` returns the access token that the calls use. Pass that
        one to ``MongoTokenStore.expire_access_token`` if the API answers ``INVALID_TOKEN``.

    Raises:
        NoUserError: Neither a user nor an id was given: nobody is logged in.
        LoginRequiredError: No token is stored for this user, who has to log in.
        TypeError: ``user`` is neither, such as a ``ZohoUser`` that JSON has turned into a list.
        RuntimeError: The thread is running a coroutine, and other coroutines share the thread. Or
            the SDK was not initialized by ``ZohoLogin.initialize``.
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
        # The block may end in another thread, which cannot reset the one that it began in.
        own.token = NOBODY


def initialized_process() -> Any:
    """Return what the SDK was initialized with, which must be without a user.

    Raises:
        RuntimeError: The SDK was not initialized, or was initialized with a user: a call outside a
            block would then be made as that user.
    """
    process = Initializer.initializer
    if process is None or process.token is not NOBODY:
        raise RuntimeError(
            "the SDK must be initialized without a user: call ZohoLogin.initialize(store) once in "
            "each process, instead of Initializer.initialize"
        )
    return process


def initializer_for(token: OAuthToken, environment: DataCenter.Environment) -> Initializer:
    """Create the SDK's state for a thread that uses ``token``, separate from all other threads.

    It is a copy because the SDK changes the environment of its current state. ``switch_user`` makes
    such a copy too, but it drops the proxy, and calls Zoho before the data centre is known.
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
        "acting_as cannot be used in a coroutine: the SDK's user belongs to the thread, which "
        "other coroutines share. Move the block into a function, and run that with "
        "run_in_threadpool or asyncio.to_thread"
    )


def _find(store: MongoTokenStore, user: ZohoUser | str | None, id: str | None) -> OAuthToken:
    if user and id:
        raise TypeError("pass acting_as either a user or an id, not both")
    if isinstance(user, ZohoUser):
        id = user.id
    if id:
        found = store.find_token_by_id(id)
    elif user and not isinstance(user, str):
        raise TypeError(
            f"user must be a name or a ZohoUser, not {type(user).__name__}: JSON turns a ZohoUser "
            "into a list, so keep its name in a session or a queue, or restore it with "
            "ZohoUser(*kept)"
        )
    elif user:
        found = store.find_token(OAuthToken(user_signature=UserSignature(user)))
    else:
        raise NoUserError("no user: nobody is logged in")
    if found is None:
        text = "no token is stored for this user, who has to log in"
        if isinstance(user, str) and ":" not in user:
            text += "; a user's name is ZohoUser.name, such as ada@example.com:10001"
        raise LoginRequiredError(REFUSED, text)
    return found
