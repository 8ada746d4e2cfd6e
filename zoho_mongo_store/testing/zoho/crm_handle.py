"""The CRM's modules and records, and the API's refusals, as a test or a demo sets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from zoho_mongo_store.testing.zoho.protocol import ORG, USER
from zoho_mongo_store.testing.zoho.server import ZohoServer


class CrmHandle(ZohoServer):
    """Fills the CRM, reads it, and has its API refuse."""

    def refuse_with(
        self, code: str | None, *, http_status: int | None = None, requests: int | None = None
    ) -> None:
        """Refuse requests to the CRM API that have a live access token, from now on.

        Token requests go on as they are; ``configure`` has them fail.

        Args:
            code: The error, such as ``"OAUTH_SCOPE_MISMATCH"``, ``"TOO_MANY_REQUESTS"`` or
                ``"INVALID_TOKEN"``. None ends it.
            http_status: Its HTTP status. Default: the one that Zoho gives this error.
            requests: How many requests are refused. Default: all, until this is called again.

        Raises:
            ValueError: ``requests`` is less than 1.
        """
        self._ask("refuse_with", code=code, http_status=http_status, requests=requests)

    def add_module(
        self, module: str, fields: Mapping[str, str], *, mandatory: Iterable[str] = ()
    ) -> None:
        """Add a module to the CRM of every organization, or give one other fields.

        ``Contacts`` and ``Leads`` are there from the start.

        Args:
            module: Its API name.
            fields: The data type of each field by the field's API name, such as ``{"Name": "text",
                "Marks": "integer"}``: ``"text"``, ``"textarea"``, ``"email"``, ``"phone"``,
                ``"website"``, ``"picklist"``, ``"date"``, ``"datetime"``, ``"integer"``,
                ``"bigint"``, ``"double"``, ``"currency"``, ``"percent"`` or ``"boolean"``.
            mandatory: The fields that a record cannot be without.

        Raises:
            ValueError: A data type is unknown, or a mandatory field is none of the fields.
        """
        self._ask("add_module", name=module, fields=dict(fields), mandatory=list(mandatory))

    def add_record(
        self, module: str, values: Mapping[str, object], user: str = USER, org: str = ORG
    ) -> int:
        """Add a record, as if the user had inserted it.

        Args:
            module: The module's API name.
            values: Its fields by their API names, as they stand in Zoho's JSON.
            user: The e-mail address of its owner.
            org: The organization, whose users alone see it.

        Returns:
            Its id, as the SDK takes it.

        Raises:
            ValueError: There is no such module, a mandatory field is missing, or a value is not of
                its field's type.
        """
        return int(self._ask("add_record", module=module, values=dict(values), user=user, org=org))

    def records(self, module: str, org: str = ORG) -> list[dict[str, Any]]:
        """The records of an organization's module, oldest first, as they stand in Zoho's JSON.

        Raises:
            ValueError: There is no such module.
        """
        records: list[dict[str, Any]] = self._ask("records", module=module, org=org)
        return records
