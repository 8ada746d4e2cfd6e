"""The records of modules, as the CRM API answers for them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.testing.zoho.calls import TIMEOUT
from zoho_mongo_store.testing import LoopbackZoho

FIELDS = {"Name": "text", "Marks": "integer", "Average": "double", "Passed": "boolean"}
ALL = {"fields": "Name,Marks"}


class Api:
    """The CRM API of version 8, as one user calls it."""

    def __init__(self, zoho: LoopbackZoho, *user: str) -> None:
        self._url = f"{zoho.url}/crm/v8"
        access_token = zoho.access_token(zoho.refresh_token(*user))
        self._headers = {"Authorization": f"Zoho-oauthtoken {access_token}"}

    def __call__(
        self, method: str, path: str, *data: object, **query: str
    ) -> tuple[int, dict[str, Any] | None]:
        """Status and body of an answer."""
        answer = requests.request(
            method,
            f"{self._url}/{path}",
            headers=self._headers,
            params=query,
            json={"data": list(data)} if data else None,
            timeout=TIMEOUT,
        )
        return answer.status_code, answer.json() if answer.content else None

    def codes(self, method: str, path: str, *data: object, **query: str) -> tuple[int, list[str]]:
        """Status and codes of an answer for each record."""
        status, body = self(method, path, *data, **query)
        assert body is not None
        return status, [result["code"] for result in body["data"]]

    def names(self, path: str, **query: str) -> list[str]:
        """The names in an answer."""
        status, body = self("GET", path, **{**ALL, **query})
        assert (status == 204) is (body is None)
        return [] if body is None else [record["Name"] for record in body["data"]]


@pytest.fixture
def api(zoho: LoopbackZoho) -> Api:
    zoho.add_module("Students", FIELDS, mandatory=["Name"])
    return Api(zoho)


def test_are_inserted(zoho: LoopbackZoho, api: Api) -> None:
    status, body = api("POST", "Students", {"Name": "Ada", "Marks": 7, "Unknown": "ignored"})

    assert status == 201
    assert body is not None
    [result] = body["data"]
    assert result["code"] == "SUCCESS"
    [record] = zoho.records("Students")
    assert (record["Name"], record["Marks"]) == ("Ada", 7)
    assert "Unknown" not in record
    assert record["Owner"]["email"] == "ada@example.com"
    details = result["details"]
    assert details == {name: record[name] for name in details}
    assert set(details) == {"id", "Created_By", "Created_Time", "Modified_By", "Modified_Time"}


def test_are_updated_one_and_many(zoho: LoopbackZoho, api: Api) -> None:
    first, second = (zoho.add_record("Students", {"Name": name}) for name in "ab")

    assert api.codes("PUT", f"Students/{first}", {"Marks": 1}) == (200, ["SUCCESS"])
    many = [{"id": str(first), "Marks": 2}, {"id": str(second), "Name": "c"}]
    assert api.codes("PUT", "Students", *many) == (200, ["SUCCESS"] * 2)

    assert [(record["Name"], record.get("Marks")) for record in zoho.records("Students")] == [
        ("a", 2),
        ("c", None),
    ]


def test_are_deleted_one_and_many(zoho: LoopbackZoho, api: Api) -> None:
    first, second, third = (zoho.add_record("Students", {"Name": name}) for name in "abc")

    assert api.codes("DELETE", f"Students/{second}") == (200, ["SUCCESS"])
    assert api.codes("DELETE", "Students", ids=f"{first},{second}") == (
        207,
        ["SUCCESS", "INVALID_DATA"],
    )
    assert [record["id"] for record in zoho.records("Students")] == [str(third)]


def test_are_given_with_the_fields_that_are_asked_for(zoho: LoopbackZoho, api: Api) -> None:
    record_id = zoho.add_record("Students", {"Name": "Ada", "Marks": 7})

    _, listed = api("GET", "Students", fields="Marks")
    assert listed == {
        "data": [{"id": str(record_id), "Marks": 7}],
        "info": {"per_page": 200, "count": 1, "page": 1, "more_records": False},
    }
    assert api("GET", f"Students/{record_id}")[1] == {"data": zoho.records("Students")}
    assert api.names("Students", ids=f"{record_id},1") == ["Ada"]


def test_that_are_not_there_are_no_content(api: Api) -> None:
    assert api("GET", "Students", **ALL) == (204, None)
    assert api("GET", "Students/1") == (204, None)
    assert api("GET", "Students/search", word="Ada") == (204, None)


def test_come_in_pages(zoho: LoopbackZoho, api: Api) -> None:
    for name in "abcde":
        zoho.add_record("Students", {"Name": name})

    pages = [api.names("Students", page=str(page), per_page="2") for page in (1, 2, 3, 4)]
    _, second = api("GET", "Students", page="2", per_page="2", **ALL)

    assert pages == [["a", "b"], ["c", "d"], ["e"], []]
    assert second is not None
    assert second["info"] == {"per_page": 2, "count": 2, "page": 2, "more_records": True}


def test_are_found(zoho: LoopbackZoho, api: Api) -> None:
    zoho.add_module("People", {"Name": "text", "Mail": "email", "Mobile": "phone"})
    for name in ("Ada", "Adam"):
        values = {"Name": name, "Mail": f"{name}@example.com", "Mobile": f"+1{len(name)}"}
        zoho.add_record("People", values)

    assert api.names("People/search", criteria="(Name:equals:ada)") == ["Ada"]
    assert api.names("People/search", email="adam@EXAMPLE.com") == ["Adam"]
    assert api.names("People/search", phone="+13") == ["Ada"]
    assert api.names("People/search", word="ADA") == ["Ada", "Adam"]
    assert api.names("People/search", email="Ada") == []


def test_belong_to_their_organization(zoho: LoopbackZoho, api: Api) -> None:
    other = Api(zoho, "eve@example.com", "20002")
    record_id = zoho.add_record("Students", {"Name": "Ada"})
    zoho.add_record("Students", {"Name": "Eve"}, "eve@example.com", "20002")

    assert (api.names("Students"), other.names("Students")) == (["Ada"], ["Eve"])
    assert other("GET", f"Students/{record_id}") == (204, None)
    assert other.codes("PUT", f"Students/{record_id}", {"Marks": 1}) == (202, ["INVALID_DATA"])
    assert [record["Name"] for record in zoho.records("Students", "20002")] == ["Eve"]


@pytest.mark.parametrize(
    ("values", "details"),
    [
        ({"Marks": 1}, {"api_name": "Name"}),
        ({"Name": ""}, {"api_name": "Name"}),
        ({"Name": 1}, {"api_name": "Name", "expected_data_type": "text"}),
        ({"Name": "a", "Marks": "1"}, {"api_name": "Marks", "expected_data_type": "integer"}),
        ({"Name": "a", "Marks": True}, {"api_name": "Marks", "expected_data_type": "integer"}),
        ({"Name": "a", "Passed": 1}, {"api_name": "Passed", "expected_data_type": "boolean"}),
    ],
)
def test_with_wrong_values_are_refused_alone(
    zoho: LoopbackZoho, api: Api, values: dict[str, object], details: dict[str, str]
) -> None:
    good = {"Name": "Ada", "Marks": None, "Average": 2, "Passed": False}
    status, body = api("POST", "Students", values, good)

    assert status == 207
    assert body is not None
    assert [result["status"] for result in body["data"]] == ["error", "success"]
    assert body["data"][0]["details"] == details
    assert [record["Name"] for record in zoho.records("Students")] == ["Ada"]


def test_cannot_lose_what_is_mandatory(zoho: LoopbackZoho, api: Api) -> None:
    record_id = zoho.add_record("Students", {"Name": "Ada"})

    refused = api.codes("PUT", f"Students/{record_id}", {"Name": None})

    assert refused == (202, ["MANDATORY_NOT_FOUND"])
    assert [record["Name"] for record in zoho.records("Students")] == ["Ada"]


@pytest.mark.parametrize(
    ("method", "path", "query", "refusal"),
    [
        ("GET", "Students", {}, (400, "REQUIRED_PARAM_MISSING")),
        ("GET", "Students", {**ALL, "page": "0"}, (400, "INVALID_DATA")),
        ("GET", "Students", {**ALL, "per_page": "201"}, (400, "INVALID_DATA")),
        ("GET", "Students/search", {}, (400, "REQUIRED_PARAM_MISSING")),
        ("GET", "Students/search", {"criteria": "(Name)"}, (400, "INVALID_QUERY")),
        ("GET", "Students/photo", {}, (404, "INVALID_URL_PATTERN")),
        ("GET", "Teachers", ALL, (400, "INVALID_MODULE")),
        ("GET", "settings/fields", {"module": "Teachers"}, (400, "INVALID_MODULE")),
        ("POST", "Students", {}, (400, "INVALID_DATA")),
        ("POST", "Students/1", {}, (405, "INVALID_REQUEST_METHOD")),
        ("POST", "users", {}, (405, "INVALID_REQUEST_METHOD")),
    ],
)
def test_requests_that_zoho_does_not_take(
    zoho: LoopbackZoho,
    api: Api,
    method: str,
    path: str,
    query: dict[str, str],
    refusal: tuple[int, str],
) -> None:
    status, body = api(method, path, **query)

    assert body is not None
    assert (status, body["code"]) == refusal
    [request] = zoho.requests()
    assert (request.method, request.path, request.status) == (method, f"/crm/v8/{path}", refusal[1])


def test_fields_and_modules_are_described(api: Api) -> None:
    _, fields = api("GET", "settings/fields", module="Students")
    _, modules = api("GET", "settings/modules")

    assert fields is not None
    described = {field["api_name"]: field for field in fields["fields"]}
    assert {name: described[name]["data_type"] for name in FIELDS} == FIELDS
    assert [name for name, field in described.items() if field["system_mandatory"]] == ["Name"]
    assert modules is not None
    names = [module["api_name"] for module in modules["modules"]]
    assert names == ["Contacts", "Leads", "Students"]


def test_what_a_test_gets_wrong_is_an_error(zoho: LoopbackZoho) -> None:
    with pytest.raises(ValueError, match="there is no module Students"):
        zoho.add_record("Students", {})
    with pytest.raises(ValueError, match=r"MANDATORY_NOT_FOUND.*Last_Name"):
        zoho.add_record("Contacts", {"First_Name": "Ada"})
    with pytest.raises(ValueError, match="unknown data types: number"):
        zoho.add_module("Students", {"Marks": "number"})
    with pytest.raises(ValueError, match="mandatory fields that do not exist: Name"):
        zoho.add_module("Students", {"Marks": "integer"}, mandatory=["Name"])
