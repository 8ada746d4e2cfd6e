"""A request to the CRM API: its kind and the scope that it needs. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from zoho_mongo_store.testing.zoho.protocol import Kind

_KINDS: dict[tuple[str, ...], Kind] = {
    ("users",): "users",
    ("org",): "org",
    ("settings", "fields"): "fields",
    ("settings", "modules"): "modules",
}
_OPERATIONS = {"GET": "READ", "POST": "CREATE", "PUT": "UPDATE", "DELETE": "DELETE"}


class Call(NamedTuple):
    """A request to the CRM API.

    Attributes:
        method: The HTTP method.
        path: The parts of the path after ``/crm/vN/``.
        query: The query parameters.
        body: The JSON body, if any.
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    body: Any = None

    @property
    def kind(self) -> Kind:
        """The kind of request."""
        return _KINDS.get(self.path, "records")

    @property
    def needed_scope(self) -> str:
        """The scope that it needs."""
        area = {"fields": "settings.fields", "modules": "settings.modules"}.get(self.kind)
        if self.kind == "records":
            area = f"modules.{self.path[0]}"
        return f"ZohoCRM.{area or self.kind}.{_OPERATIONS.get(self.method, 'ALL')}"
