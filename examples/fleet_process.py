"""One process of fleet.py's: with the others it meets an expired token and makes an API call."""

import logging
import multiprocessing
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

# Seconds. A machine with few cores takes its time to start and to serve many processes.
START_TIMEOUT = 60.0
STORE_TIMEOUT = 30.0


class Site(NamedTuple):
    """What all processes share."""

    store: str
    """A key of ``STORES``."""
    uri: str
    zoho: LoopbackZoho
    folder: str
    """For the FileStore's file, and for what the SDK writes."""
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
        """The store, as each process makes it."""
        return STORES[self.store](self)


class Call(NamedTuple):
    """What came of an API call."""

    began: float
    ended: float
    error: str
    """Its code; empty if there was none."""


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

_all_ready: Barrier = multiprocessing.Barrier(1)


def prepare(all_ready: Barrier) -> None:
    """Make the process ready for ``call``."""
    global _all_ready
    _all_ready = all_ready
    os.environ["no_proxy"] = "127.0.0.1"  # The SDK would ask a configured proxy for the loopback.
    for logger in ("SDKLogger", "zoho_mongo_store"):
        logging.getLogger(logger).addHandler(logging.NullHandler())


def call(site: Site) -> Call:
    """Wait for the other processes; then start the SDK and ask Zoho for its users."""
    with closed(site.open_store()) as store:
        _all_ready.wait(START_TIMEOUT)
        began = time.time()
        error = _call(site, store)
        return Call(began, time.time(), error)


def _call(site: Site, store: TokenStore) -> str:
    try:
        Initializer.initialize(
            site.zoho.environment(), site.token(), store, resource_path=site.folder
        )
        status = UsersOperations().get_users().get_status_code()
    except SDKException as error:
        return str(error.code)
    except Exception as error:
        return type(error).__name__  # Two processes at the FileStore's file at once.
    return "" if status == 200 else f"status {status}"


def closed(store: TokenStore) -> AbstractContextManager[TokenStore]:
    """The store, closed after the block where it can be: the SDK's have nothing to close."""
    return store if isinstance(store, MongoTokenStore) else nullcontext(store)
