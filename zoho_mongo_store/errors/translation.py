"""Turns every error into one SDKException that says what to do."""

import functools
import logging
import sys
from collections.abc import Callable, Iterable
from contextvars import copy_context
from itertools import chain
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from pymongo.errors import (
    ConfigurationError,
    DocumentTooLarge,
    InvalidOperation,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from zoho_mongo_store.errors.answers import advice, handshake_advice
from zoho_mongo_store.errors.kinds import KeyServiceError, StoreError, is_unreachable
from zoho_mongo_store.errors.redaction import is_of_client, is_of_log_in, redacted, words
from zoho_mongo_store.signals import raised_by_handler

if TYPE_CHECKING:
    from zoho_mongo_store.sdk import SDKException

logger = logging.getLogger("zoho_mongo_store")

TOKEN_STORE = "TOKEN_STORE"  # noqa: S105 - the SDK's error code, Constants.TOKEN_STORE


def failure(operation: str, error: Exception, secrets: Iterable[str] = ()) -> "SDKException":
    """Create the ``SDKException`` that a caller sees for ``error``.

    Neither it nor its cause quotes a value or keeps the original's traceback, whose frames hold
    tokens. MongoDB quotes the offending value in a duplicate-key error and the whole command in a
    refusal, and the SDK would log both.

    Args:
        operation: The method that failed, for the message.
        error: The original error.
        secrets: Texts to mask in the message.

    Returns:
        An exception with the code ``TOKEN_STORE``, a message that says which operation failed and
        what to do, and a cause of the class of ``error``.
    """
    # Imported here: it takes a second, and the command line needs the SDK only to ask Zoho.
    from zoho_mongo_store.sdk import SDKException

    cause = redacted(error, list(secrets))
    result = SDKException(TOKEN_STORE, f"{operation} failed: {_explanation(error, cause)}")
    result.cause = result.__cause__ = cause
    return result


def explanation(error: Exception, secrets: Iterable[str] = ()) -> str:
    """Say what went wrong and what to do, as the message of ``failure`` does.

    Args:
        error: The original error.
        secrets: Texts to mask.
    """
    return _explanation(error, redacted(error, list(secrets)))


def _explanation(error: Exception, cause: Exception) -> str:
    told = words(cause)
    if isinstance(error, StoreError):
        return str(cause)
    if isinstance(error, PyMongoError) and (what_to_do := advice(error)) is not None:
        return f"{what_to_do} ({told})"
    if isinstance(error, KeyServiceError):
        return (
            "the key management service cannot be reached: check the network, its address and "
            f"kms_tls_options ({told})"
        )
    if is_unreachable(error):
        return (
            "MongoDB cannot be reached, or did not answer in time: check that it is running and "
            f"that the URI is right ({told}){handshake_advice(told)}"
        )
    if is_of_log_in(error):
        return f"the log-in to MongoDB failed: {told}"
    if is_of_client(error):
        return f"pymongo refused the command: {told}"
    if isinstance(error, OperationFailure):
        return f"MongoDB refused the command ({told})"
    if isinstance(error, InvalidURI):
        return (
            "the MongoDB URI cannot be read: it must begin with mongodb:// or mongodb+srv://, with "
            "a percent-encoded user name and password, and with valid values of MongoDB's options"
        )
    if isinstance(error, InvalidOperation):
        return f"the MongoClient is closed, by the store or its owner: create a new one ({told})"
    if isinstance(error, DocumentTooLarge):
        return "the token is larger than the maximum size of a MongoDB document (16 MB)"
    if isinstance(error, ConfigurationError):
        return f"pymongo does not accept this configuration: {told}"
    if isinstance(error, OSError | Warning):
        return told
    return (
        f"there was an unexpected {told}. Its message is left out, since it may quote a token; "
        "please report this location"
    )


class _SecretHolder(Protocol):
    """An object whose methods have ``translate_errors``."""

    def _secrets(self) -> Iterable[str]:
        """List what no error text may show. Also called if the constructor has failed."""


_Self = TypeVar("_Self", bound=_SecretHolder)
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def translate_errors(
    operation: str,
) -> Callable[
    [Callable[Concatenate[_Self, _Arguments], _Result]],
    Callable[Concatenate[_Self, _Arguments], _Result],
]:
    """Decorate a method so that any failure in it is logged and raised as ``SDKException``.

    It is logged at ERROR because the SDK swallows the exceptions of ``save_token`` and
    ``delete_token``. It is raised outside the exception handler, so that it has no context that
    leads to the original, and no frame that a log handler or a traceback with locals shows holds a
    field of a token.

    An exception raised by a signal's handler is not a failure, and passes through unchanged. The
    method runs in a context of its own: if ``pymongo.timeout`` is interrupted on its way in or out,
    it leaves its deadline behind, and every later operation in the thread would be too late.

    Args:
        operation: The name of the method in the message.
    """

    def decorate(
        method: Callable[Concatenate[_Self, _Arguments], _Result],
    ) -> Callable[Concatenate[_Self, _Arguments], _Result]:
        @functools.wraps(method)
        def call(self: _Self, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
            handled = sys.exception()
            try:
                return copy_context().run(method, self, *args, **kwargs)
            except Exception as error:
                raised = raised_by_handler(error, handled)
                if raised is None:
                    raised = _failure(operation, error, self, [*args, *kwargs.values()])
                    logger.error("%s", raised)
                else:
                    # The exception that it interrupted may quote a value.
                    raised.__cause__ = raised.__context__ = None
            del args, kwargs
            raise raised

        return call

    return decorate


def _failure(
    operation: str, error: Exception, owner: _SecretHolder, arguments: Iterable[object]
) -> "SDKException":
    from zoho_mongo_store.sdk import secrets_of

    secrets = [*owner._secrets(), *chain.from_iterable(map(secrets_of, arguments))]
    return failure(operation, error, secrets)
