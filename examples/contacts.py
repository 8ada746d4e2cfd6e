"""Reading CRM records as whichever user the thread acts as."""

from typing import NamedTuple

from zoho_login import store
from zohocrmsdk.src.com.zoho.crm.api import ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
from zohocrmsdk.src.com.zoho.crm.api.record import (
    APIException,
    GetRecordsParam,
    RecordOperations,
)

from zoho_mongo_store import ZohoUser, acting_as

FIELDS = ("First_Name", "Last_Name", "Email", "Phone")


class Contact(NamedTuple):
    """A record of the module Contacts."""

    name: str
    email: str
    phone: str


class RefusedError(Exception):
    """The CRM API refused the call."""


def contacts_of(user: ZohoUser) -> list[Contact]:
    """The user's contacts, at most 50.

    Zoho may end an access token before its time. A new one is then asked for, once, however many
    workers see the refusal: each names the access token that was refused.

    Raises:
        LoginRequiredError: The user has to log in again.
        RefreshPausedError: Zoho does not answer now.
        RefusedError: The API refused.
    """
    with acting_as(user) as token:
        access_token = token.get_token()
        try:
            return _contacts()
        except (RefusedError, SDKException) as refused:
            # The SDK looks up the fields first; a refusal of that request is an error of its own.
            if "INVALID_TOKEN" not in str(refused):
                raise
        store.expire_access_token(user.id, access_token)
        return _contacts()


def _contacts() -> list[Contact]:
    parameters = ParameterMap()
    parameters.add(GetRecordsParam.fields, ",".join(FIELDS))
    parameters.add(GetRecordsParam.per_page, 50)
    response = RecordOperations("Contacts").get_records(parameters)
    if response.get_status_code() == 204:
        return []
    answer = response.get_object()
    if isinstance(answer, APIException):
        raise RefusedError(answer.get_code().get_value())
    return [_contact(record) for record in answer.get_data()]


def _contact(record: object) -> Contact:
    values = [record.get_key_value(field) or "" for field in FIELDS]  # type: ignore[attr-defined]
    first, last, email, phone = values
    return Contact(f"{first} {last}".strip(), email, phone)
