"""Every failure of the store as one SDKException that shows no secret."""

import functools
import logging
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from pymongo.errors import (
    BulkWriteError,
    ClientBulkWriteException,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidOperation,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from zoho_mongo_store.sdk import SDKException, secrets_of

logger = logging.getLogger("zoho_mongo_store")

TOKEN_STORE = "TOKEN_STORE"  # noqa: S105 - the SDK's error code, Constants.TOKEN_STORE

_Error = TypeVar("_Error", bound=Exception)

UNAUTHORIZED = 13
AUTHENTICATION_FAILED = 18
ATLAS_ERROR = 8000

# What a mongos answers for a shard it cannot reach, and a member that steps down or shuts down: the
# codes of the retryable reads specification. Writes with them bear a label, reads do not.
_AWAY_CODES = frozenset({6, 7, 89, 91, 133, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})
_PRIVILEGES = (
    "the MongoDB role may not do this: grant it find, insert, update and remove on the token "
    "collection, and createIndex, collMod, listIndexes and dropIndex too, or pass "
    "create_indexes=False"
)
_CREDENTIALS = "MongoDB refused the log-in: check the user, the password and authSource"
_NO_CREDENTIALS = "MongoDB asks for a log-in: name a user and a password in the URI"
# What MongoDB says to a client that has not logged in; the code is that of a missing privilege.
_NOT_LOGGED_IN = "requires authentication"
_SERVER_ADVICE = {
    UNAUTHORIZED: _PRIVILEGES,
    AUTHENTICATION_FAILED: _CREDENTIALS,
    ATLAS_ERROR: _CREDENTIALS,
}


class StoreError(Exception):
    """A failure whose text the store wrote itself, without any secret."""


class KeyServiceError(ConnectionFailure):
    """The key management service that unwraps data keys could not be reached."""


class UnresolvedNameError(ConnectionFailure):
    """The name of a ``mongodb+srv`` URI could not be resolved."""


class InvalidInputError(StoreError):
    """An argument that the store refuses before it sends anything."""


def is_unreachable(error: BaseException) -> bool:
    """Whether MongoDB could not be reached within the time-out, so that a later try may work."""
    if isinstance(error, ConnectionFailure):
        return True
    if isinstance(error, OperationFailure) and error.code in _AWAY_CODES:
        return True
    return isinstance(error, PyMongoError) and (
        error.timeout or error.has_error_label("RetryableWriteError")
    )


def is_lost_connection(error: PyMongoError) -> bool:
    """Whether the connection broke before the time-out, so that a second try may work at once."""
    return is_unreachable(error) and not error.timeout


def failure(operation: str, error: Exception, secrets: Iterable[str] = ()) -> SDKException:
    """Make the ``SDKException`` that a caller sees for ``error``.

    Neither it nor its cause quotes a value, or keeps the traceback of the original, whose frames
    hold tokens. MongoDB quotes the offending value in a duplicate-key error and the whole command
    in a refusal, and the SDK would log both.

    Args:
        operation: The method that failed, for the message.
        error: What went wrong.
        secrets: Texts to mask in the message.

    Returns:
        An exception with the code ``TOKEN_STORE``, a message that says which operation failed and
        what to do, and a cause of the class of ``error``.
    """
    cause = redacted(error, secrets)
    result = SDKException(TOKEN_STORE, f"{operation} failed: {_explanation(error, cause)}")
    result.cause = result.__cause__ = cause
    return result


def redacted(error: Exception, secrets: Iterable[str] = ()) -> Exception:
    """Copy ``error`` without any value: the same class, a safe text, no traceback.

    Args:
        error: The original.
        secrets: Texts to mask where some of the original's text is kept.
    """
    if isinstance(error, StoreError):
        return _bare(error)
    if isinstance(error, OperationFailure):
        kept = ("code", "codeName", "keyPattern", "errorLabels")
        details = {key: value for key, value in (error.details or {}).items() if key in kept}
        name = details.get("codeName", "no code name")
        # The constructors of bulk errors take results, which quote the documents.
        bulk = isinstance(error, BulkWriteError | ClientBulkWriteException)
        kind = OperationFailure if bulk else type(error)
        return kind(f"{name}, code {error.code}", error.code, details)
    if isinstance(error, ConnectionFailure):
        # What follows is a dump of pymongo's settings and its view of the servers.
        text = str(error).partition(" (configured timeouts")[0].partition(", Timeout:")[0]
        return type(error)(without(secrets, text))
    if isinstance(error, ConfigurationError) and not isinstance(error, InvalidURI):
        return ConfigurationError(without(secrets, str(error)))
    if isinstance(error, OSError) and error.strerror:
        file = f"{error.filename}: " if error.filename else ""
        return StoreError(without(secrets, f"{file}{error.strerror}"))
    return StoreError(f"{type(error).__name__} at {_origin(error)}")


def _explanation(error: Exception, cause: Exception) -> str:
    if isinstance(error, StoreError):
        return str(cause)
    if isinstance(error, OperationFailure) and error.code in _SERVER_ADVICE:
        anonymous = error.code == UNAUTHORIZED and _NOT_LOGGED_IN in str(error)
        return f"{_NO_CREDENTIALS if anonymous else _SERVER_ADVICE[error.code]} ({cause})"
    if isinstance(error, KeyServiceError):
        return (
            "the key management service cannot be reached: check the network, its address and "
            f"kms_tls_options ({cause})"
        )
    if is_unreachable(error):
        return (
            "MongoDB cannot be reached, or did not answer in time: "
            f"check that it runs and that the URI is right ({cause})"
        )
    if isinstance(error, InvalidURI):
        return (
            "the MongoDB URI cannot be read: it starts with mongodb:// or mongodb+srv://, its user "
            "name and password are percent-encoded, and its options have MongoDB's values"
        )
    if isinstance(error, InvalidOperation):
        return (
            f"the MongoClient is closed, by the store or by who lent it: make a new one ({cause})"
        )
    if isinstance(error, DocumentTooLarge):
        return "the token is larger than a MongoDB document may be (16 MB)"
    return f"{type(error).__name__} ({cause})"


def without(secrets: Iterable[str], text: str) -> str:
    """Mask each of ``secrets`` in ``text``."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _origin(error: BaseException) -> str:
    """Tell the file and line where ``error`` was raised."""
    traceback = error.__traceback__
    if traceback is None:
        return "an unknown place"
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f"{Path(traceback.tb_frame.f_code.co_filename).name}:{traceback.tb_lineno}"


def _bare(error: _Error) -> _Error:
    """Strip ``error`` of its traceback and context, which hold tokens."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


class _SecretHolder(Protocol):
    """An object whose methods have ``translate_errors``."""

    def _secrets(self) -> Iterable[str]:
        """List what no error text may show; called also when the constructor has failed."""


_Self = TypeVar("_Self", bound=_SecretHolder)
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def translate_errors(
    operation: str,
) -> Callable[
    [Callable[Concatenate[_Self, _Arguments], _Result]],
    Callable[Concatenate[_Self, _Arguments], _Result],
]:
    """Decorate a method so that whatever fails in it is logged and raised as ``SDKException``.

    It is logged at ERROR because the SDK swallows what ``save_token`` and ``delete_token`` raise.
    It is raised outside the exception handler, so that no context leads to the original, and no
    frame that a log handler or a traceback with locals shows holds a field of a token.

    Args:
        operation: The name of the method in the message.
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
    operation: str, error: Exception, owner: _SecretHolder, arguments: Iterable[object]
) -> SDKException:
    secrets = [*owner._secrets(), *chain.from_iterable(map(secrets_of, arguments))]
    return failure(operation, error, secrets)
