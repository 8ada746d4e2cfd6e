"""Retries operations that pymongo does not retry."""

from collections.abc import Callable
from typing import TypeVar

from pymongo.errors import PyMongoError

from zoho_mongo_store.errors import is_lost_connection

_Result = TypeVar("_Result")


def retry_once(operation: Callable[[], _Result]) -> _Result:
    """Run ``operation``, and run it once more if the connection broke.

    pymongo itself retries reads and writes of single documents, but not the deletion of many
    documents, index changes, or commands such as ``hello``.

    Args:
        operation: What to run. It may run twice, so it must be idempotent.

    Returns:
        What ``operation`` returned.
    """
    try:
        return operation()
    except PyMongoError as error:
        if not is_lost_connection(error):
            raise
    return operation()
