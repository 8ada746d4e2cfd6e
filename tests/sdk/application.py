"""A program that uses the SDK: in a process of its own wherever the engine can be shared."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

from tests.processes import in_processes
from tests.sdk.version import FINDS_USER
from tests.tokens import contents, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import Initializer, OAuthToken, TokenStore
from zoho_mongo_store.testing import LoopbackZoho, fresh_sdk

CLIENT = {"client_id": LoopbackZoho.client_id, "client_secret": LoopbackZoho.client_secret}
USER = "ada@example.com"
OTHER_USER = "grace@example.com"

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Application:
    """What an application configures: its Zoho, its MongoDB, and a folder for the SDK."""

    zoho: LoopbackZoho
    store_options: dict[str, Any]
    resource_path: str

    def run(self, program: Callable[..., _Result], *arguments: object) -> _Result:
        """What ``program(self, *arguments)`` returns, run on an SDK that nobody has used yet.

        It runs in a new process, but for an engine that lives in this one only.
        """
        if "client" not in self.store_options:
            result: _Result = in_processes(program, [(self, *arguments)])[0]
            return result
        with fresh_sdk():
            return program(self, *arguments)

    def initialize(self, token: OAuthToken, store: TokenStore) -> None:
        """Initialize the SDK with the token and the store."""
        Initializer.initialize(
            environment=self.zoho.environment(),
            token=token,
            store=store,
            resource_path=self.resource_path,
        )

    @contextmanager
    def initialized(self, token: OAuthToken) -> Iterator[MongoTokenStore]:
        """The SDK initialized with the token, and its store, which is closed afterwards."""
        with MongoTokenStore(**self.store_options) as store:
            self.initialize(token, store)
            yield store


def name_of(user: str = USER) -> str:
    """What the SDK calls a user: the e-mail address and the organization's id."""
    return f"{user}:10001"


def login(zoho: LoopbackZoho, user: str = USER) -> dict[str, Any]:
    """The fields of a token that logs ``user`` in, and is then stored under the user's name.

    Where the SDK does not ask Zoho for the name, the caller gives it.
    """
    name = {} if FINDS_USER else {"user_name": name_of(user)}
    return {**CLIENT, "grant_token": zoho.grant(user), **name}


def nameless_login(zoho: LoopbackZoho) -> dict[str, Any]:
    """The fields of a token that logs a user in, and is then stored without a name."""
    find_user = {"find_user": False} if FINDS_USER else {}
    return {**CLIENT, "grant_token": zoho.grant(), **find_user}


class Outcome(NamedTuple):
    """What a program saw."""

    token: dict[str, Any]
    """The fields of the token that the SDK was initialized with."""
    access_token: str
    """What ``get_token`` gave last."""
    users: list[str]
    """Who Zoho took the caller for, at each API call."""


def call_api(application: Application, fields: dict[str, Any], calls: int = 1) -> Outcome:
    """Initialize the SDK with a token of these fields, and call the API."""
    token = make_token(**fields)
    with application.initialized(token):
        users = [current_user() for _ in range(calls)]
        return Outcome(contents(token), token.get_token(), users)


def log_in(application: Application, *users: str) -> None:
    """Log users in, one after the other."""
    with MongoTokenStore(**application.store_options) as store:
        for user in users:
            application.initialize(make_token(**login(application.zoho, user)), store)


def current_user() -> str:
    """The e-mail address of the user that an API call is made for."""
    users = import_module("zohocrmsdk.src.com.zoho.crm.api.users")
    answer = users.UsersOperations().get_users().get_object()
    return str(answer.get_users()[0].get_email())
