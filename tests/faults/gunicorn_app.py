"""A web application that makes and uses its store before gunicorn forks its workers."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from tests.tokens import contents, make_token
from zoho_mongo_store import MongoTokenStore

store = MongoTokenStore(os.environ["ZOHO_MONGO_URI"], timeout=20)
store.save_token(make_token(user_name=f"mark-{os.getpid()}", access_token="preloaded"))


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Save a token of the name in the query, find it again, and say which process did."""
    name = f"mark-{os.getpid()}-{environ['QUERY_STRING']}"
    token = make_token(user_name=name, access_token=f"access-{name}")
    store.save_token(token)
    right = contents(store.find_token(make_token(user_name=name))) == contents(token)
    store.delete_token(str(token.get_id()))
    start_response("200 OK" if right else "500 Wrong", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
