"""Login with Zoho for applications with many users, independent of any web framework."""

from zoho_mongo_store.login.acting import NoUserError, acting_as
from zoho_mongo_store.login.callback_errors import (
    AccessDeniedError,
    CallbackError,
    InvalidStateError,
    UnknownDataCenterError,
)
from zoho_mongo_store.login.user import ZohoUser
from zoho_mongo_store.login.zoho_login import ZohoLogin

__all__ = [
    "AccessDeniedError",
    "CallbackError",
    "InvalidStateError",
    "NoUserError",
    "UnknownDataCenterError",
    "ZohoLogin",
    "ZohoUser",
    "acting_as",
]
