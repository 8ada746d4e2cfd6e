"""The CRM's modules and records, and the API's refusals, as a test or demo sets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from zoho_mongo_store.testing.zoho.protocol import ORG, USER
from zoho_mongo_store.testing.zoho.server import ZohoServer


class CrmHandle(ZohoServer):
    """Fills and reads the CRM, and makes its API refuse requests."""

    def refuse_with(
        self, code: str | None, *, http_status: int | None = None, requests: int | None = None
    ) -> None:
        """Refuse requests to the CRM API with a live access token, from now on.

        Token requests are not affected; use :meth:`configure` for those.

        Args:
            code: The error, such as ``"OAUTH_SCOPE_MISMATCH"``, ``"TOO_MANY_REQUESTS"`` or
                ``"INVALID_TOKEN"``. None: stop refusing.
            http_status: The HTTP status. Default: the one that Zoho uses for this error.
            requests: The number of requests to refuse. Default: all, until this is called again.

        Raises:
            ValueError: ``requests`` is less than 1.
        """
        self._ask("refuse_with", code=code, http_status=http_status, requests=requests)

    def add_module(
        self, module: str, fields: Mapping[str, str], *, mandatory: Iterable[str] = ()
    ) -> None:
        """Add a module to every organization's CRM, or replace a module's fields.

        ``Contacts`` and ``Leads`` exist from the start.

        Args:
            module: The module's API name.
            fields: The data type of each field by its API name, such as ``{"Name": "text", "Marks":
                "integer"}``: ``"text"``, ``"textarea"``, ``"email"``, ``"phone"``, ``"website"``,
                ``"picklist"``, ``"date"``, ``"datetime"``, ``"integer"``, ``"bigint"``,
                ``"double"``, ``"currency"``, ``"percent"`` or ``"boolean"``.
            mandatory: The fields that every record must have.

        Raises:
            ValueError: A data type is unknown, or a mandatory field is not among the fields.
        """
        self._ask("add_module", name=module, fields=dict(fields), mandatory=list(mandatory))

    def add_record(
        self, module: str, values: Mapping[str, object], user: str = USER, org: str = ORG
    ) -> int:
        """Add a record, as if the user had inserted it.

        Args:
            module: The module's API name.
            values: The record's fields by API name, as in Zoho's JSON.
            user: The e-mail address of its owner.
            org: The organization. Only its users see the record.

        Returns:
            The record's id, in the form that the SDK accepts.

        Raises:
            ValueError: There is no such module, a mandatory field is missing, or a value does not
                have its field's type.
        """
        return int(self._ask("add_record", module=module, values=dict(values), user=user, org=org))

    def records(self, module: str, org: str = ORG) -> list[dict[str, Any]]:
        """Return an organization's records of a module, oldest first, as in Zoho's JSON.

        Raises:
            ValueError: There is no such module.
        """
        records: list[dict[str, Any]] = self._ask("records", module=module, org=org)
        return records
