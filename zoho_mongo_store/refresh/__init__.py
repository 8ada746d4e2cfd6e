"""One refresh for the whole fleet."""

from zoho_mongo_store.refresh.coordinator import Coordinator
from zoho_mongo_store.refresh.errors import LoginRequiredError, RefreshPausedError
from zoho_mongo_store.refresh.policy import DEFAULT_POLICY, RefreshPolicy
from zoho_mongo_store.refresh.stats import RefreshStats

__all__ = [
    "DEFAULT_POLICY",
    "Coordinator",
    "LoginRequiredError",
    "RefreshPausedError",
    "RefreshPolicy",
    "RefreshStats",
]
