"""Copies errors without any value: the same class, a safe text, no traceback."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pymongo.errors import (
    BulkWriteError,
    ClientBulkWriteException,
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
)

from zoho_mongo_store.errors.answers import keep_advice
from zoho_mongo_store.errors.kinds import StoreError

_Error = TypeVar("_Error", bound=Exception)

_KEPT_DETAILS = ("code", "codeName", "keyPattern", "errorLabels")
# What pymongo appends to its texts: the whole answer, its settings, and its view of the servers.
_DUMP = re.compile(r",? full error: | \(configured timeouts|, Timeout:")
_LONGEST_WORDS = 1000
# A shorter secret is masked only as a whole word, or it would mask parts of many words.
_SHORTEST_PART = 4
_DUPLICATE_KEY = 11000
_KEEPS_WORDS = "_zoho_mongo_store_keeps_words"
_OF_LOG_IN = re.compile(r"pymongo(\.\w+)*\.auth\w*|pymongo_auth_aws(\.\w+)*")
_OWN = __name__.partition(".")[0]


@contextmanager
def keeping_words() -> Iterator[None]:
    """Let errors in the block keep MongoDB's own text.

    Use it for commands that carry no value of a token, such as ``createIndexes``, ``listIndexes``,
    ``ping`` and ``hello``. The text of a duplicate-key error is still dropped: it quotes documents.
    """
    try:
        yield
    except OperationFailure as error:
        vars(error)[_KEEPS_WORDS] = error.code != _DUPLICATE_KEY
        raise


def redacted(error: Exception, secrets: Iterable[str] = ()) -> Exception:
    """Copy ``error`` without any value: the same class, a safe text, no traceback.

    Args:
        error: The original.
        secrets: Texts to mask wherever the original's text is kept.
    """
    if isinstance(error, StoreError):
        return _bare(error)
    if isinstance(error, OperationFailure):
        return _redacted_answer(error, secrets)
    if isinstance(error, ConnectionFailure):
        return type(error)(without(secrets, words(error)))
    if isinstance(error, ConfigurationError) and not isinstance(error, InvalidURI):
        return ConfigurationError(without(secrets, str(error)))
    if isinstance(error, OSError) and error.strerror:
        file = f"{error.filename}: " if error.filename else ""
        return StoreError(without(secrets, f"{file}{error.strerror}"))
    if isinstance(error, Warning) or _OF_LOG_IN.fullmatch(_modules(error)[-1]):
        return StoreError(without(secrets, f"{type(error).__name__}: {error}"))
    return StoreError(f"{type(error).__name__} at {_origin(error)}")


def without(secrets: Iterable[str], text: str) -> str:
    """Mask each of ``secrets`` in ``text``, ignoring case: host names are put into lower case."""
    for secret in sorted({one for one in secrets if one}, key=len, reverse=True):
        pattern = re.escape(secret)
        if len(secret) < _SHORTEST_PART:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, "***", text, flags=re.IGNORECASE)
    return text


def words(error: Exception) -> str:
    """Return an error's own text, without the answer and settings that pymongo appends."""
    text = _DUMP.split(str(error), maxsplit=1)[0]
    return text if len(text) <= _LONGEST_WORDS else f"{text[:_LONGEST_WORDS]}..."


def is_of_log_in(error: BaseException) -> bool:
    """Whether it was raised while pymongo was logging in, before any token was in play."""
    return any(map(_OF_LOG_IN.fullmatch, _modules(error)))


def is_of_client(error: Exception) -> bool:
    """Whether pymongo raised it by itself, before anything was sent to a server."""
    return (
        isinstance(error, OperationFailure)
        and not isinstance(error, BulkWriteError | ClientBulkWriteException)
        and error.code is None
        and not error.details
    )


def _redacted_answer(error: OperationFailure, secrets: Iterable[str]) -> OperationFailure:
    details = {key: value for key, value in (error.details or {}).items() if key in _KEPT_DETAILS}
    named = f"{details['codeName']}, " if details.get("codeName") else ""
    text = f"{named}code {error.code}"
    if is_of_client(error):
        text = without(secrets, words(error))
    elif vars(error).get(_KEEPS_WORDS) or is_of_log_in(error):
        text = f"{without(secrets, words(error))} ({text})"
    # The constructors of bulk errors take the results, which quote the documents.
    is_bulk = isinstance(error, BulkWriteError | ClientBulkWriteException)
    kind = OperationFailure if is_bulk else type(error)
    copied = kind(text, error.code, details or None)
    keep_advice(error, copied)
    return copied


def _modules(error: BaseException) -> list[str]:
    """List the modules of the frames that ``error`` passed through, innermost last."""
    names, traceback = [""], error.__traceback__
    while traceback is not None:
        names.append(traceback.tb_frame.f_globals.get("__name__", ""))
        traceback = traceback.tb_next
    return names


def _origin(error: BaseException) -> str:
    """Return the file and line where ``error`` was raised, and where the store made the call."""
    traceback = error.__traceback__
    place, own = "an unknown place", ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        place = f"{Path(code.co_filename).name}:{traceback.tb_lineno}"
        if traceback.tb_frame.f_globals.get("__name__", "").partition(".")[0] == _OWN:
            own = place
        traceback = traceback.tb_next
    return f"{place}, called at {own}" if own not in ("", place) else place


def _bare(error: _Error) -> _Error:
    """Remove the traceback and context of ``error``, which hold tokens."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)
