"""A web application that makes and uses its store before gunicorn forks its workers."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from tests.tokens import contents, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import SDKException

store = MongoTokenStore(os.environ["ZOHO_MONGO_URI"], timeout=20)
store.save_token(make_token(user_name=f"mark-{os.getpid()}", access_token="preloaded"))


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Do what the query says, and say which process did it: ``find=NAME`` finds a token; anything
    else saves one of that name, finds it and deletes it."""
    query = str(environ["QUERY_STRING"])
    try:
        is_right = _finds(query[5:]) if query.startswith("find=") else _works(query)
    except SDKException:
        is_right = False
    start_response("200 OK" if is_right else "500 Wrong", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


def _finds(name: str) -> bool:
    return bool(contents(store.find_token(make_token(user_name=name)))["user_name"] == name)


def _works(query: str) -> bool:
    name = f"mark-{os.getpid()}-{query}"
    token = make_token(user_name=name, access_token=f"access-{name}")
    store.save_token(token)
    is_right = contents(store.find_token(make_token(user_name=name))) == contents(token)
    store.delete_token(str(token.get_id()))
    return is_right
