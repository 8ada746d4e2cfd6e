"""One process of the fleets in fleet.py.

All of them start the SDK; then their token expires, and each makes an API call.
"""

import logging
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import NamedTuple

from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore, TokenStore
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
from zohocrmsdk.src.com.zoho.crm.api.user_signature import UserSignature
from zohocrmsdk.src.com.zoho.crm.api.users import UsersOperations

from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LoopbackZoho

# Seconds. A machine with few cores needs a while to start and serve many processes.
START_TIMEOUT = 60.0
STORE_TIMEOUT = 30.0


class Site(NamedTuple):
    """What all processes share."""

    store: str
    """A key of ``STORES``."""
    uri: str
    zoho: LoopbackZoho
    folder: str
    """The directory of the FileStore's file and of the files that the SDK writes."""
    refresh_token: str

    def token(self) -> OAuthToken:
        """The token of the one user, as an application configures it."""
        return OAuthToken(
            self.zoho.client_id,
            self.zoho.client_secret,
            refresh_token=self.refresh_token,
            user_signature=UserSignature(f"ada {self.refresh_token[-6:]}"),
        )

    def open_store(self) -> TokenStore:
        """The store, which each process makes for itself."""
        return STORES[self.store](self)

    def log_in(self) -> None:
        """Store an access token that is good for an hour."""
        access_token = self.zoho.access_token(self.refresh_token)
        self._save(access_token, int(time.time() * 1000) + 3_600_000)

    def expire(self) -> None:
        """Store an access token whose hour is over."""
        self._save("expired", 1000)

    def _save(self, access_token: str, expires_in: int) -> None:
        token = self.token()
        token.set_access_token(access_token)
        token.set_expires_in(str(expires_in))
        with closed(self.open_store()) as store:
            store.save_token(token)


class Call(NamedTuple):
    """The outcome of an API call."""

    began: float
    ended: float
    error: str
    """The error's code; empty if the call succeeded."""


def _file_store(site: Site) -> TokenStore:
    return FileStore(str(Path(site.folder, "tokens.csv")))


def _uncoordinated(site: Site) -> TokenStore:
    return MongoTokenStore(site.uri, timeout=STORE_TIMEOUT, refresh=None)


def _coordinated(site: Site) -> TokenStore:
    return MongoTokenStore(site.uri, timeout=STORE_TIMEOUT)


STORES: dict[str, Callable[[Site], TokenStore]] = {
    "SDK's FileStore": _file_store,
    "refresh=None": _uncoordinated,
    "this store": _coordinated,
}

_all_ready: Barrier


def prepare(all_ready: Barrier) -> None:
    """Prepare the process for ``call``."""
    global _all_ready
    _all_ready = all_ready
    os.environ["no_proxy"] = "127.0.0.1"  # The SDK would ask a configured proxy for the loopback.
    for logger in ("SDKLogger", "zoho_mongo_store"):
        logging.getLogger(logger).addHandler(logging.NullHandler())


def call(site: Site) -> Call:
    """Start the SDK, wait for the other processes, and ask Zoho for its users."""
    with closed(site.open_store()) as store:
        Initializer.initialize(
            site.zoho.environment(), site.token(), store, resource_path=site.folder
        )
        _all_ready.wait(START_TIMEOUT)
        began = time.time()
        error = _error_of_call()
        return Call(began, time.time(), error)


def _error_of_call() -> str:
    try:
        status = UsersOperations().get_users().get_status_code()
    except SDKException as error:
        # The SDK wraps the error that its token raises in a less specific one.
        return str(getattr(error.cause, "code", None) or error.code)
    return "" if status == 200 else f"status {status}"


def closed(store: TokenStore) -> AbstractContextManager[TokenStore]:
    """The store, closed after the block where it can be: the SDK's have nothing to close."""
    return store if isinstance(store, MongoTokenStore) else nullcontext(store)
