"""The CRM API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zoho_mongo_store.testing.zoho.answers import Answer, crm_error
from zoho_mongo_store.testing.zoho.call import Call
from zoho_mongo_store.testing.zoho.credentials import Account
from zoho_mongo_store.testing.zoho.modules import Module, Modules
from zoho_mongo_store.testing.zoho.record_calls import RecordCalls
from zoho_mongo_store.testing.zoho.records import Record, Records, user_id


class Crm:
    """Answers the CRM API's requests. Thread-safe.

    Args:
        now: Zoho's time, in seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.modules = Modules()
        self._records = Records(now)
        self._calls = RecordCalls(self._records)

    def answer(self, account: Account, call: Call) -> Answer:
        """Answer a user's request."""
        if call.kind == "records":
            module = self.modules.get(call.path[0])
            if module is None:
                return crm_error("INVALID_MODULE")
            return self._calls.answer(account, module, call)
        if call.method != "GET":
            return crm_error("INVALID_REQUEST_METHOD")
        if call.kind == "users":
            return _users(account)
        if call.kind == "org":
            return _org(account)
        if call.kind == "modules":
            return Answer({"modules": [module.describe() for module in self.modules.all()]})
        module = self.modules.get(call.query.get("module", ""))
        if module is None:
            return crm_error("INVALID_MODULE")
        return Answer({"fields": module.describe_fields()})

    def add_record(self, account: Account, module: str, values: Mapping[str, Any]) -> str:
        """Insert a record as the user would. Returns its id."""
        record = self._records.insert(account, self._module(module), values)
        return str(record["id"])

    def records(self, org: str, module: str) -> list[Record]:
        """Return the organization's records of the module."""
        return self._records.all(org, self._module(module))

    def _module(self, name: str) -> Module:
        module = self.modules.get(name)
        if module is None:
            raise ValueError(f"there is no module {name}: add it with add_module()")
        return module


def _users(account: Account) -> Answer:
    """``GET /crm/vN/users?type=CurrentUser``."""
    user = {
        "id": user_id(account),
        "email": account.user,
        "full_name": account.user,
        "last_name": account.user,
        "status": "active",
    }
    info = {"per_page": 200, "count": 1, "page": 1, "more_records": False}
    return Answer({"users": [user], "info": info})


def _org(account: Account) -> Answer:
    """``GET /crm/vN/org``."""
    organization = {
        "id": f"{account.org}000000",
        "zgid": account.org,
        "company_name": f"Organization {account.org}",
    }
    return Answer({"org": [organization]})
