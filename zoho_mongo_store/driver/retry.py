"""Trying again what pymongo does not."""

from collections.abc import Callable
from typing import TypeVar

from pymongo.errors import PyMongoError

from zoho_mongo_store.errors import is_lost_connection

_Result = TypeVar("_Result")


def retry_once(operation: Callable[[], _Result]) -> _Result:
    """Run ``operation``, and once more when the connection broke: it may run twice.

    pymongo retries reads and single writes by itself; deletions of many documents, changes of
    indexes and commands such as ``hello`` it does not.
    """
    try:
        return operation()
    except PyMongoError as error:
        if not is_lost_connection(error):
            raise
    return operation()
