"""What runs in a process of the demo: the real SDK on a store that records each call."""

import contextlib
import functools
import inspect
import logging
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, TypeVar

from zoho_mongo_store.sdk import (
    Initializer,
    OAuthToken,
    SDKException,
    UserSignature,
    organization_id,
)
from zoho_mongo_store.store import MongoTokenStore
from zoho_mongo_store.testing.zoho.loopback import LoopbackZoho

# With SDK 5, the application must name the user.
SDK_NAMES_USER = "find_user" in inspect.signature(OAuthToken).parameters

_SHOWN_ID = 8
_MANDATORY_VALUE_ERROR = "MANDATORY VALUE ERROR"

_Result = TypeVar("_Result")


class DemoSetup(NamedTuple):
    """Where the servers are, and a folder for what the SDK writes."""

    uri: str
    database: str
    zoho: str
    folder: str


class StoreCall(NamedTuple):
    """One call of the SDK to the store, without any token or secret."""

    time: float
    method: str
    argument: str
    outcome: str


class Reply(NamedTuple):
    """The result of an action. ``error`` is empty if it succeeded."""

    calls: list[StoreCall]
    result: Any
    error: str


class RecordingStore(MongoTokenStore):
    """A store that records each call of the SDK."""

    def __init__(self, uri: str, *, database: str) -> None:
        super().__init__(uri, database=database)
        self.begin()

    def begin(self) -> None:
        """Forget the calls so far."""
        self.calls: list[StoreCall] = []
        self.failure = ""

    def find_token(self, token: OAuthToken) -> OAuthToken | None:
        """Record what the token is looked up by, and whether it was found."""
        find = functools.partial(super().find_token, token)
        return self._noted("find_token", _carried(token), find, _found)

    def find_token_by_id(self, id: str) -> OAuthToken | None:
        """Record the id, and whether it was found."""
        find = functools.partial(super().find_token_by_id, id)
        return self._noted("find_token_by_id", f"id {short(id)}", find, _found)

    def save_token(self, token: OAuthToken) -> None:
        """Record what the token is looked up by, and its id afterwards."""
        save = functools.partial(super().save_token, token)
        self._noted("save_token", _carried(token), save, lambda _: f"id {short(token.get_id())}")

    def delete_token(self, id: str) -> None:
        """Record the id."""
        delete = functools.partial(super().delete_token, id)
        self._noted("delete_token", f"id {short(id)}", delete, lambda _: "deleted")

    def _noted(
        self,
        method: str,
        argument: str,
        call: Callable[[], _Result],
        outcome: Callable[[_Result], str],
    ) -> _Result:
        start = time.time()
        try:
            result = call()
        except SDKException as error:
            self.failure = str(error)  # The SDK swallows the errors of save_token.
            raise
        self.calls.append(StoreCall(start, method, argument, outcome(result)))
        return result


class Application:
    """An application that uses Zoho CRM; each public method is an action."""

    def __init__(self, setup: DemoSetup, store: MongoTokenStore) -> None:
        self._setup = setup
        self._store = store
        self._token = OAuthToken(access_token="none yet")  # noqa: S106 - replaced before use

    def initialize(self, user_name: str | None = None, **known: Any) -> str | None:
        """Initialize the SDK with a token that has only these fields. Returns its stored id."""
        signature = None if user_name is None else UserSignature(user_name)
        self._token = OAuthToken(user_signature=signature, **known)
        Initializer.initialize(
            environment=LoopbackZoho.at(self._setup.zoho).environment(),
            token=self._token,
            store=self._store,
            resource_path=self._setup.folder,
        )
        return self._token.get_id()

    def organization(self) -> str:
        """Ask the CRM API for the id (``zgid``) of the user's organization."""
        return organization_id()

    def revoke_and_remove(self, id: str) -> tuple[bool, bool]:
        """Revoke the token at Zoho and delete it from the store. Returns whether each succeeded."""
        return self._revoke(id), bool(self._token.remove())

    def _revoke(self, id: str) -> bool:
        try:
            return bool(self._token.revoke(id))
        except SDKException as error:
            if error.code != _MANDATORY_VALUE_ERROR:
                raise
        # SDK 5 to 7 cannot revoke by id: they start with an OAuthToken() that they refuse.
        found = self._store.find_token_by_id(id)
        refresh_token = None if found is None else found.get_refresh_token()
        url = f"{self._setup.zoho}/oauth/v2/token/revoke"
        return bool(refresh_token and OAuthToken.revoke_refresh_token(refresh_token, url))


def serve(pipe: Connection, setup: DemoSetup) -> None:
    """Carry out the actions that arrive through the pipe, until its other end is closed."""
    os.environ["no_proxy"] = "127.0.0.1"  # Otherwise the SDK would use a configured proxy.
    for logger in ("SDKLogger", "zoho_mongo_store"):
        logging.getLogger(logger).addHandler(logging.NullHandler())
    store = RecordingStore(setup.uri, database=setup.database)
    with store, contextlib.suppress(EOFError, ConnectionError):
        application = Application(setup, store)
        while True:
            action, arguments = pipe.recv()
            pipe.send(_carried_out(getattr(application, action), arguments, store))


def short(id: str | None) -> str:
    """Return the beginning of an id, enough to tell a few apart."""
    return f"{id[:_SHOWN_ID]}..." if id and len(id) > _SHOWN_ID + 3 else str(id)


def _carried_out(
    action: Callable[..., Any], arguments: dict[str, str], store: RecordingStore
) -> Reply:
    store.begin()
    try:
        result = action(**arguments)
    except Exception as error:
        return Reply(store.calls, None, str(error) or type(error).__name__)
    return Reply(store.calls, result, store.failure)


def _carried(token: OAuthToken) -> str:
    """Return what the token is looked up by: the first field of the find order that is set."""
    signature = token.get_user_signature()
    if token.get_id():
        return f"id {short(token.get_id())}"
    if signature:
        return f"user {signature.get_name()}"
    for kind in ("grant", "refresh", "access"):
        if getattr(token, f"get_{kind}_token")():
            return f"{kind} token"
    return "nothing"


def _found(token: OAuthToken | None) -> str:
    return "unknown" if token is None else "found"
