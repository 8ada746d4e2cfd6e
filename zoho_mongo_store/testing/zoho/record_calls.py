"""Answers the CRM API's requests for records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zoho_mongo_store.testing.zoho import criteria
from zoho_mongo_store.testing.zoho.answers import Answer, crm_error
from zoho_mongo_store.testing.zoho.call import Call
from zoho_mongo_store.testing.zoho.credentials import Account
from zoho_mongo_store.testing.zoho.modules import Module
from zoho_mongo_store.testing.zoho.records import Record, RecordError, Records

MOST_PER_PAGE = 200
MOST_PER_REQUEST = 100


class RecordCalls:
    """Answers the requests for the records of a module."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def answer(self, account: Account, module: Module, call: Call) -> Answer:
        """Answer a user's request."""
        rest = call.path[1:]
        if rest == ("search",) and call.method == "GET":
            return self._search(account, module, call.query)
        if len(rest) > 1 or (rest and not rest[0].isdecimal()):
            return crm_error("INVALID_URL_PATTERN")
        record_id = rest[0] if rest else None
        if call.method == "GET":
            return self._get(account, module, call.query, record_id)
        if call.method == "DELETE":
            ids = [record_id] if record_id else call.query.get("ids", "").split(",")
            return self._change("delete", account, module, ids)
        if call.method == "PUT" or (call.method == "POST" and record_id is None):
            return self._save(account, module, call, record_id)
        return crm_error("INVALID_REQUEST_METHOD")

    def _get(
        self, account: Account, module: Module, query: Mapping[str, str], record_id: str | None
    ) -> Answer:
        records = self._records.all(account.org, module)
        if record_id is not None:
            found = [record for record in records if record["id"] == record_id]
            return Answer({"data": found}) if found else Answer(None, 204)
        if "fields" not in query:
            return crm_error("REQUIRED_PARAM_MISSING", param_name="fields")
        if ids := query.get("ids"):
            records = [record for record in records if record["id"] in ids.split(",")]
        return _page(records, query)

    def _search(self, account: Account, module: Module, query: Mapping[str, str]) -> Answer:
        records = self._records.all(account.org, module)
        try:
            holds = _search_criteria(module, query)
        except ValueError as error:
            return crm_error("INVALID_QUERY", reason=str(error))
        if holds is None:
            return crm_error("REQUIRED_PARAM_MISSING", param_name="criteria")
        return _page([record for record in records if holds(record)], query)

    def _save(self, account: Account, module: Module, call: Call, record_id: str | None) -> Answer:
        data = call.body.get("data") if isinstance(call.body, dict) else None
        if not isinstance(data, list) or not 1 <= len(data) <= MOST_PER_REQUEST:
            return crm_error("INVALID_DATA", expected_data_type="jsonarray", api_name="data")
        if not all(isinstance(values, dict) for values in data):
            return crm_error("INVALID_DATA", expected_data_type="jsonobject", api_name="data")
        if call.method == "POST":
            return self._change("insert", account, module, data)
        own_id = {} if record_id is None else {"id": record_id}
        return self._change("update", account, module, [{**each, **own_id} for each in data])

    def _change(self, change: str, account: Account, module: Module, items: list[Any]) -> Answer:
        """Change records one by one, with a result for each."""
        operations: dict[str, tuple[Callable[..., Record], str, int]] = {
            "insert": (self._records.insert, "record added", 201),
            "update": (self._records.update, "record updated", 200),
            "delete": (self._records.delete, "record deleted", 200),
        }
        operation, done, http_status = operations[change]
        results: list[dict[str, Any]] = []
        for item in items:
            try:
                record = operation(account, module, item)
            except RecordError as error:
                results.append(_result(error.code, error.details, error.message, "error"))
            else:
                kept = ("id", "Created_By", "Modified_By", "Created_Time", "Modified_Time")
                details = {key: record[key] for key in (kept[:1] if change == "delete" else kept)}
                results.append(_result("SUCCESS", details, done, "success"))
        refused = [result for result in results if result["status"] == "error"]
        if refused:
            http_status = 202 if len(refused) == len(results) else 207
        return Answer({"data": results}, http_status)


def _search_criteria(module: Module, query: Mapping[str, str]) -> criteria.Criteria | None:
    """Read what a search is for: the first of Zoho's parameters that is given."""
    if text := query.get("criteria"):
        return criteria.parse(text)
    for parameter in ("email", "phone"):
        if wanted := query.get(parameter, "").lower():
            fields = module.of_type(parameter)
            return lambda record: wanted in (str(record.get(name)).lower() for name in fields)
    if word := query.get("word", "").lower():
        return lambda record: any(
            word in str(record[name]).lower() for name in module.fields if record.get(name)
        )
    return None


def _page(records: list[Record], query: Mapping[str, str]) -> Answer:
    """Answer with one page of records, with the requested fields; 204 if it is empty."""
    try:
        page, per_page = int(query.get("page", 1)), int(query.get("per_page", MOST_PER_PAGE))
    except ValueError:
        return crm_error("INVALID_DATA", expected_data_type="integer")
    if page < 1 or not 1 <= per_page <= MOST_PER_PAGE:
        return crm_error("INVALID_DATA", expected_data_type="integer")
    start = (page - 1) * per_page
    shown = records[start : start + per_page]
    if not shown:
        return Answer(None, 204)
    if fields := query.get("fields"):
        wanted = {"id", *(name.strip() for name in fields.split(","))}
        shown = [{key: record[key] for key in record if key in wanted} for record in shown]
    more = len(records) > start + per_page
    info = {"per_page": per_page, "count": len(shown), "page": page, "more_records": more}
    return Answer({"data": shown, "info": info})


def _result(code: str, details: Mapping[str, Any], message: str, status: str) -> dict[str, Any]:
    return {"code": code, "details": details, "message": message, "status": status}
