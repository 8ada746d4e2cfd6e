"""The store's own exceptions, and which pymongo errors mean that MongoDB is unreachable."""

from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

# The answer of a mongos for a shard that it cannot reach, and of a member that steps down or shuts
# down: the codes of the retryable reads specification. Failed writes carry a label, reads do not.
_AWAY_CODES = frozenset({6, 7, 89, 91, 133, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})


class StoreError(Exception):
    """A failure whose message the store wrote itself, without any secret."""


class InvalidInputError(StoreError):
    """An invalid argument, refused before anything is sent."""


class KeyServiceError(ConnectionFailure):
    """The key management service that unwraps data keys could not be reached."""


class UnresolvedNameError(ConnectionFailure):
    """The name of a ``mongodb+srv`` URI could not be resolved."""


def is_unreachable(error: BaseException) -> bool:
    """Whether MongoDB could not be reached within the timeout, so that a later try may work."""
    if isinstance(error, ConnectionFailure):
        return True
    if isinstance(error, OperationFailure) and error.code in _AWAY_CODES:
        return True
    return isinstance(error, PyMongoError) and (
        error.timeout or error.has_error_label("RetryableWriteError")
    )


def is_lost_connection(error: PyMongoError) -> bool:
    """Whether the connection broke before the timeout, so that a second try may work at once."""
    return is_unreachable(error) and not error.timeout
