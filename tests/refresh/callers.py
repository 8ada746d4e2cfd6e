"""Programs that ask the SDK for an access token, in as many threads and processes as wanted."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, NamedTuple

import pytest

from tests.processes import in_processes
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore, RefreshPolicy, RefreshStats
from zoho_mongo_store.sdk import Initializer, OAuthToken, SDKException, TokenStore
from zoho_mongo_store.testing import LoopbackZoho

CLIENT = {"client_id": LoopbackZoho.client_id, "client_secret": LoopbackZoho.client_secret}

_INITIALIZER = f"{Initializer.__module__}.{Initializer.__qualname__}"

Fields = dict[str, Any]


class Call(NamedTuple):
    """What one caller of ``get_token`` saw."""

    access_token: str | None
    code: str | None
    """Of the error, if that was it."""
    message: str | None
    began: float
    ended: float
    """Both as ``time.monotonic`` has it, which the processes of one machine share."""
    error: str | None = None
    """The name of its class, if it was an error."""
    retry_after: float | None = None
    """In seconds, where the error says so."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


@dataclass(frozen=True)
class Fleet:
    """What all processes are configured with; each makes a store of its own."""

    uri: str
    database: str
    zoho: LoopbackZoho
    options: Fields = field(default_factory=dict)
    """The stores'."""

    def having(self, **options: Any) -> "Fleet":
        """The same, with these options of the stores."""
        return replace(self, options={**self.options, **options})

    def leasing(self, **policy: Any) -> "Fleet":
        """The same, with another policy."""
        return self.having(refresh=RefreshPolicy(**policy))

    def store(self) -> MongoTokenStore:
        """A store as each process has one. A machine with few cores takes its time."""
        return MongoTokenStore(self.uri, database=self.database, **{"timeout": 30, **self.options})

    def stored(self, **changes: Any) -> Fields:
        """Store an expired token of a login of its own; its fields, with its id."""
        refresh_token = self.zoho.refresh_token()
        fields = {
            "user_name": f"ada {refresh_token[-6:]}",
            "refresh_token": refresh_token,
            "access_token": f"expired {refresh_token[-6:]}",
            "expires_in": "1000",
            **CLIENT,
            **changes,
        }
        token = make_token(**fields)
        with self.store() as store:
            store.save_token(token)
        return {**fields, "id": token.get_id()}

    def call(self, tokens: Sequence[Fields], threads: int = 1) -> list[Call]:
        """What the callers saw: a process for each of ``tokens``, all threads at one moment."""
        return [call for calls, _ in self.call_counted(tokens, threads) for call in calls]

    def call_counted(
        self, tokens: Sequence[Fields], threads: int = 1
    ) -> list[tuple[list[Call], RefreshStats]]:
        """The same by process, each with the counts of its store."""
        return in_processes(call, [(self, fields, threads) for fields in tokens])


def call(fleet: Fleet, fields: Fields, threads: int = 1) -> tuple[list[Call], RefreshStats]:
    """Ask for an access token of the token with these fields, in threads that begin together."""
    with fleet.store() as store, driving(store, fleet.zoho):
        calls = in_threads(fields, threads)
    return calls, store.refresh_stats()


def in_threads(fields: Fields, threads: int) -> list[Call]:
    """Ask for an access token, each thread with an ``OAuthToken`` of its own."""
    barrier = threading.Barrier(threads)
    calls: list[Call] = []

    def one() -> None:
        token = make_token(**fields)
        barrier.wait(60)
        calls.append(ask(token))

    running = [threading.Thread(target=one) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return calls


def ask(token: OAuthToken) -> Call:
    """Ask the SDK for an access token, as it does itself before every API call."""
    began = time.monotonic()
    try:
        access_token = token.get_token()
    except SDKException as error:
        retry_after = getattr(error, "retry_after", None)
        return Call(
            None,
            error.code,
            str(error),
            began,
            time.monotonic(),
            type(error).__name__,
            None if retry_after is None else retry_after.total_seconds(),
        )
    return Call(access_token, None, None, began, time.monotonic())


@contextmanager
def driving(store: TokenStore, zoho: LoopbackZoho) -> Iterator[None]:
    """The SDK as ``Initializer.initialize`` leaves it, without a token of its own."""
    initializer: Any = Initializer()
    initializer.store = store
    initializer.environment = zoho.environment()
    initializer.sdk_config = import_module("zohocrmsdk.src.com.zoho.crm.api.sdk_config").SDKConfig()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Initializer, "initializer", initializer)
        patch.setattr(f"{_INITIALIZER}.LOCAL.init", None, raising=False)
        # The SDK logs with arguments that its formats have no place for: an error in pytest.
        patch.setattr(logging.getLogger("SDKLogger"), "propagate", False)
        yield


def by_id(fields: Fields) -> Fields:
    """The id alone."""
    return {"id": fields["id"]}


def by_user_name(fields: Fields) -> Fields:
    """The user's name alone, and what the SDK wants with it."""
    return {"user_name": fields["user_name"], **CLIENT}


def total(outcomes: Sequence[tuple[list[Call], RefreshStats]], *names: str) -> int:
    """How often these outcomes were counted, in all processes together."""
    return sum(getattr(counts, name) for _, counts in outcomes for name in names)


def asked(outcomes: Sequence[tuple[list[Call], RefreshStats]]) -> int:
    """How many requests all processes together count."""
    return total(outcomes, "refreshed", "early", "took_over", "refused", "unreachable", "late")


def wait_until(condition: Any, seconds: float = 30) -> None:
    """Wait until ``condition()`` holds; an ``AssertionError`` if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
