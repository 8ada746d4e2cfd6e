"""The SDK's RecordOperations on the loopback Zoho."""

import inspect
from datetime import date
from importlib import import_module
from typing import Any

from tests.processes import in_processes
from tests.sdk.application import CLIENT
from tests.tokens import make_token
from zoho_mongo_store.sdk import Initializer
from zoho_mongo_store.testing import LoopbackZoho, mock_store

MODULE = "Students"
FIELDS = {"Name": "text", "Marks": "integer", "Passed": "boolean", "Born": "date"}
ADA = {"Name": "Ada", "Marks": 7, "Passed": True, "Born": date(2000, 1, 2)}


class Students:
    """The records of a module, through the SDK that is installed."""

    def __init__(self) -> None:
        self._sdk = import_module("zohocrmsdk.src.com.zoho.crm.api.record")
        self._parameter_map = import_module("zohocrmsdk.src.com.zoho.crm.api").ParameterMap

    def insert(self, values: dict[str, Any]) -> int:
        [result] = self._call("create_records", self._body(values)).get_data()
        return int(result.get_details()["id"])

    def update(self, record_id: int, values: dict[str, Any]) -> str:
        [result] = self._call("update_record", record_id, self._body(values)).get_data()
        return str(result.get_code().get_value())

    def get(self, record_id: int) -> dict[str, Any]:
        [values] = self._values(self._call("get_record", record_id))
        return values

    def all(self, *fields: str) -> list[dict[str, Any]]:
        parameter = self._sdk.GetRecordsParam.fields
        return self._values(self._call("get_records", self._parameters(parameter, fields)))

    def search(self, criteria: str) -> list[dict[str, Any]]:
        parameter = self._sdk.SearchRecordsParam.criteria
        found = self._call("search_records", self._parameters(parameter, [criteria]))
        return [] if found is None else self._values(found)

    def insert_refused(self, values: dict[str, Any]) -> tuple[str, Any]:
        [result] = self._call("create_records", self._body(values)).get_data()
        return result.get_code().get_value(), result.get_details()

    def _call(self, name: str, *arguments: Any) -> Any:
        """Call an operation. In SDK 5 it takes the module, in later ones its class does."""
        operations = self._sdk.RecordOperations
        if "module_api_name" in inspect.signature(operations.__init__).parameters:
            answer = getattr(operations(MODULE), name)(*arguments)
        else:
            method = getattr(operations(), name)
            place = list(inspect.signature(method).parameters).index("module_api_name")
            answer = method(*arguments[:place], MODULE, *arguments[place:])
        return answer.get_object()

    def _body(self, values: dict[str, Any]) -> Any:
        record, body = self._sdk.Record(), self._sdk.BodyWrapper()
        for name, value in values.items():
            record.add_key_value(name, value)
        body.set_data([record])
        return body

    def _parameters(self, parameter: Any, values: Any) -> Any:
        parameters = self._parameter_map()
        parameters.add(parameter, ",".join(values))
        return parameters

    def _values(self, answer: Any) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in record.get_key_values().items() if name in FIELDS}
            for record in answer.get_data()
        ]


def work_with_students(zoho: LoopbackZoho, resource_path: str) -> dict[str, Any]:
    """What a program sees that reads and writes records."""
    token = make_token(**CLIENT, refresh_token=zoho.refresh_token())
    with mock_store() as store:
        Initializer.initialize(
            environment=zoho.environment(), token=token, store=store, resource_path=resource_path
        )
        students = Students()
        record_id = students.insert(ADA)
        return {
            "id": record_id,
            "got": students.get(record_id),
            "updated": students.update(record_id, {"Marks": 8}),
            "all": students.all("Name", "Marks"),
            "found": students.search("((Marks:equals:8)and(Name:starts_with:a))"),
            "not found": students.search("(Marks:equals:7)"),
            "refused": students.insert_refused({"Name": "", "Marks": 1}),
        }


def test_records_are_inserted_read_updated_and_found(
    zoho: LoopbackZoho, resource_path: str
) -> None:
    zoho.add_module(MODULE, FIELDS, mandatory=["Name"])

    # In a process of its own: the SDK keeps its state in its classes.
    seen = in_processes(work_with_students, [(zoho, resource_path)])[0]

    [record] = zoho.records(MODULE)
    assert seen == {
        "id": int(record["id"]),
        "got": ADA,
        "updated": "SUCCESS",
        "all": [{"Name": "Ada", "Marks": 8}],
        "found": [{**ADA, "Marks": 8}],
        "not found": [],
        "refused": ("MANDATORY_NOT_FOUND", {"api_name": "Name"}),
    }
    assert {name: record[name] for name in FIELDS} == {**ADA, "Marks": 8, "Born": "2000-01-02"}
