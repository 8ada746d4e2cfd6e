"""The MongoDB token store for the Zoho CRM Python SDK."""

from importlib import import_module
from typing import TYPE_CHECKING

from zoho_mongo_store.version import __version__

if TYPE_CHECKING:
    from zoho_mongo_store.encryption import FieldEncryption
    from zoho_mongo_store.events import TokenEvent
    from zoho_mongo_store.login import CallbackError, NoUserError, ZohoLogin, ZohoUser, acting_as
    from zoho_mongo_store.refresh.errors import LoginRequiredError, RefreshPausedError
    from zoho_mongo_store.refresh.policy import RefreshPolicy
    from zoho_mongo_store.refresh.stats import RefreshStats
    from zoho_mongo_store.storage.cache_policy import CachePolicy
    from zoho_mongo_store.store import MongoTokenStore

__all__ = [
    "CachePolicy",
    "CallbackError",
    "FieldEncryption",
    "LoginRequiredError",
    "MongoTokenStore",
    "NoUserError",
    "RefreshPausedError",
    "RefreshPolicy",
    "RefreshStats",
    "TokenEvent",
    "ZohoLogin",
    "ZohoUser",
    "__version__",
    "acting_as",
]

# The SDK takes half a second to import. The command line's help should not wait for that.
_HOMES = {
    "CachePolicy": "zoho_mongo_store.storage.cache_policy",
    "CallbackError": "zoho_mongo_store.login",
    "FieldEncryption": "zoho_mongo_store.encryption",
    "LoginRequiredError": "zoho_mongo_store.refresh.errors",
    "MongoTokenStore": "zoho_mongo_store.store",
    "NoUserError": "zoho_mongo_store.login",
    "RefreshPausedError": "zoho_mongo_store.refresh.errors",
    "RefreshPolicy": "zoho_mongo_store.refresh.policy",
    "RefreshStats": "zoho_mongo_store.refresh.stats",
    "TokenEvent": "zoho_mongo_store.events",
    "ZohoLogin": "zoho_mongo_store.login",
    "ZohoUser": "zoho_mongo_store.login",
    "acting_as": "zoho_mongo_store.login",
}

if not TYPE_CHECKING:
    # With it, a type checker would accept any name.
    def __getattr__(name: str) -> object:
        """Import a public name when it is first used."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
