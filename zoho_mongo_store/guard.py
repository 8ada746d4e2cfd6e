"""What stands between a method of the store and its caller when it fails."""

import functools
import logging
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from zoho_mongo_store.document import secrets_of
from zoho_mongo_store.errors import failure
from zoho_mongo_store.sdk import SDKException

logger = logging.getLogger("zoho_mongo_store")


class Guarded(Protocol):
    """An object whose methods are guarded."""

    def _secrets(self) -> Iterable[str]:
        """What no error text may show; asked also when the constructor has failed."""


_Self = TypeVar("_Self", bound=Guarded)
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def guarded(
    operation: str,
) -> Callable[
    [Callable[Concatenate[_Self, _Arguments], _Result]],
    Callable[Concatenate[_Self, _Arguments], _Result],
]:
    """Turn whatever fails in a method into one SDKException, and log it: the SDK swallows what
    ``save_token`` and ``delete_token`` raise.

    It is logged and raised from here, outside the handler: no frame that a log handler or a
    traceback with locals shows holds a token's fields, and no context leads to the original.
    """

    def decorate(
        method: Callable[Concatenate[_Self, _Arguments], _Result],
    ) -> Callable[Concatenate[_Self, _Arguments], _Result]:
        @functools.wraps(method)
        def call(self: _Self, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
            try:
                return method(self, *args, **kwargs)
            except Exception as error:
                failed = _failure(operation, error, self, [*args, *kwargs.values()])
            del args, kwargs
            logger.error("%s", failed)
            raise failed

        return call

    return decorate


def _failure(
    operation: str, error: Exception, owner: Guarded, arguments: Iterable[object]
) -> SDKException:
    secrets = [*owner._secrets(), *chain.from_iterable(map(secrets_of, arguments))]
    return failure(operation, error, secrets)
