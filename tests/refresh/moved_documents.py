"""Time that has passed, as MongoDB would show it: every date that is stored is moved back."""

from datetime import datetime, timedelta
from typing import Any

from pymongo import MongoClient

LEASES = "oauthtoken.leases"


def let_time_pass(client: "MongoClient[dict[str, Any]]", database: str, time: timedelta) -> None:
    """Let the stored tokens and leases be so much older."""
    for name in ("oauthtoken", LEASES):
        collection = client[database][name]
        for document in collection.find():
            collection.replace_one({"_id": document["_id"]}, _moved(document, time))


def _moved(value: Any, time: timedelta) -> Any:
    if isinstance(value, datetime):
        return value - time
    if isinstance(value, dict):
        return {key: _moved(one, time) for key, one in value.items()}
    return [_moved(one, time) for one in value] if isinstance(value, list) else value
