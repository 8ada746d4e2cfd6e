"""The modules of the CRM and their fields."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "textarea": (str,),
    "email": (str,),
    "phone": (str,),
    "website": (str,),
    "picklist": (str,),
    "date": (str,),
    "datetime": (str,),
    "integer": (int,),
    "bigint": (int,),
    "double": (int, float),
    "currency": (int, float),
    "percent": (int, float),
    "boolean": (bool,),
}
DATA_TYPES = tuple(_PYTHON_TYPES)
_SYSTEM_FIELDS = {
    "id": "bigint",
    "Owner": "ownerlookup",
    "Created_By": "ownerlookup",
    "Modified_By": "ownerlookup",
    "Created_Time": "datetime",
    "Modified_Time": "datetime",
}
_PERSON = {"First_Name": "text", "Last_Name": "text", "Email": "email", "Phone": "phone"}


@dataclass(frozen=True)
class Module:
    """A module, such as ``Contacts``.

    Attributes:
        name: Its API name.
        fields: The data type of each field by its API name, without the fields that every module
            has.
        mandatory: The fields that every record must have.
    """

    name: str
    fields: Mapping[str, str]
    mandatory: frozenset[str]

    def __post_init__(self) -> None:
        if unknown := set(self.fields.values()) - set(DATA_TYPES):
            raise ValueError(f"unknown data types: {', '.join(sorted(unknown))}")
        if strangers := self.mandatory - set(self.fields):
            raise ValueError(f"mandatory fields that do not exist: {', '.join(sorted(strangers))}")

    def known(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of the fields that the module has. Zoho ignores others."""
        return {name: value for name, value in values.items() if name in self.fields}

    def missing(self, values: Mapping[str, Any]) -> str | None:
        """Return the first mandatory field that has no value."""
        for name in self.fields:
            if name in self.mandatory and values.get(name) in (None, ""):
                return name
        return None

    def of_wrong_type(self, values: Mapping[str, Any]) -> str | None:
        """Return the first field whose value does not have the field's data type."""
        for name, value in values.items():
            expected = _PYTHON_TYPES[self.fields[name]]
            if value is None or (isinstance(value, bool) and bool not in expected):
                right = value is None
            else:
                right = isinstance(value, expected)
            if not right:
                return name
        return None

    def of_type(self, data_type: str) -> list[str]:
        """Return the fields of a data type."""
        return [name for name, other in self.fields.items() if other == data_type]

    def describe(self) -> dict[str, Any]:
        """Describe the module as in ``GET /crm/vN/settings/modules``."""
        return {
            "api_name": self.name,
            "module_name": self.name,
            "api_supported": True,
            "generated_type": "default",
        }

    def describe_fields(self) -> list[dict[str, Any]]:
        """Describe the fields as in ``GET /crm/vN/settings/fields``."""
        fields = {**_SYSTEM_FIELDS, **self.fields}
        return [
            {
                "id": str(number),
                "api_name": name,
                "field_label": name.replace("_", " "),
                "data_type": data_type,
                "system_mandatory": name in self.mandatory,
                "custom_field": False,
                "read_only": name in _SYSTEM_FIELDS,
            }
            for number, (name, data_type) in enumerate(fields.items(), start=1)
        ]


class Modules:
    """All modules by API name. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._modules: dict[str, Module] = {}
        self.add("Contacts", {**_PERSON, "Date_of_Birth": "date"}, ["Last_Name"])
        self.add("Leads", {**_PERSON, "Company": "text"}, ["Last_Name", "Company"])

    def add(self, name: str, fields: Mapping[str, str], mandatory: Iterable[str]) -> None:
        """Add a module, or replace a module's fields.

        Raises:
            ValueError: A data type is unknown, or a mandatory field is not among the fields.
        """
        module = Module(name, dict(fields), frozenset(mandatory))
        with self._lock:
            self._modules[name] = module

    def get(self, name: str) -> Module | None:
        """Return the module with this name."""
        with self._lock:
            return self._modules.get(name)

    def all(self) -> list[Module]:
        """Return the modules in the order in which they were added."""
        with self._lock:
            return list(self._modules.values())
