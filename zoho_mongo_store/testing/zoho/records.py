"""The records of the modules, separate for each organization. Kept in memory."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from zoho_mongo_store.testing.zoho.credentials import Account
from zoho_mongo_store.testing.zoho.modules import Module

Record = dict[str, Any]


class RecordError(ValueError):
    """Zoho refuses one record of a request.

    Attributes:
        code: Zoho's code, such as ``"MANDATORY_NOT_FOUND"``.
        details: Details about the field.
        message: Zoho's message.
    """

    def __init__(self, code: str, message: str, **details: str) -> None:
        super().__init__(f"{code}: {message} {details}")
        self.code = code
        self.message = message
        self.details = details


class Records:
    """Inserts, updates, deletes and finds records as the CRM API does. Thread-safe.

    Args:
        now: Zoho's time, in seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._records: dict[tuple[str, str], dict[str, Record]] = defaultdict(dict)

    def insert(self, account: Account, module: Module, values: Mapping[str, Any]) -> Record:
        """Add a record, and return it.

        Raises:
            RecordError: A mandatory field is missing, or a value has the wrong type.
        """
        known = module.known(values)
        if missing := module.missing(known):
            raise RecordError("MANDATORY_NOT_FOUND", "required field not found", api_name=missing)
        _check_types(module, known)
        time, who = self._timestamp(), user_reference(account)
        with self._lock:
            record = {
                "id": f"{account.org}{next(self._numbers):09d}",
                **known,
                "Owner": {**who, "email": account.user},
                "Created_By": who,
                "Modified_By": who,
                "Created_Time": time,
                "Modified_Time": time,
            }
            self._records[account.org, module.name][record["id"]] = record
            return dict(record)

    def update(self, account: Account, module: Module, values: Mapping[str, Any]) -> Record:
        """Change the given fields of a record, and return the record.

        Raises:
            RecordError: There is no record with this id, or a value is missing or invalid.
        """
        known = module.known(values)
        _check_types(module, known)
        with self._lock:
            record = self._find(account, module, values.get("id"))
            if missing := module.missing({**record, **known}):
                message = "required field not found"
                raise RecordError("MANDATORY_NOT_FOUND", message, api_name=missing)
            changes = {"Modified_By": user_reference(account), "Modified_Time": self._timestamp()}
            record.update({**known, **changes})
            return dict(record)

    def delete(self, account: Account, module: Module, record_id: str) -> Record:
        """Remove a record, and return it.

        Raises:
            RecordError: There is no record with this id.
        """
        with self._lock:
            record = self._find(account, module, record_id)
            return self._records[account.org, module.name].pop(record["id"])

    def all(self, org: str, module: Module) -> list[Record]:
        """Return the organization's records of a module, oldest first."""
        with self._lock:
            return [dict(record) for record in self._records[org, module.name].values()]

    def _find(self, account: Account, module: Module, record_id: object) -> Record:
        records = self._records[account.org, module.name]
        if str(record_id) not in records:
            raise RecordError("INVALID_DATA", "the id given seems to be invalid", api_name="id")
        return records[str(record_id)]

    def _timestamp(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")


def user_reference(account: Account) -> dict[str, str]:
    """Return a user as it appears in records."""
    return {"id": user_id(account), "name": account.user}


def user_id(account: Account) -> str:
    """Return the id of a user."""
    return f"{account.org}000001"


def _check_types(module: Module, values: Mapping[str, Any]) -> None:
    if wrong := module.of_wrong_type(values):
        data_type = module.fields[wrong]
        details = {"api_name": wrong, "expected_data_type": data_type}
        raise RecordError("INVALID_DATA", "invalid data", **details)
