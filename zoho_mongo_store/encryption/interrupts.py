"""Recovers exceptions that a signal's handler raises while MongoDB's library is computing.

The library calls Python functions (pymongocrypt/crypto.py), in which signals are handled. It treats
an exception raised there as its own failure, and keeps only the text of the traceback.
"""

import threading
import traceback
from types import TracebackType
from typing import Any

from pymongo.errors import EncryptionError

from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.signals import is_from_handler

_TRACEBACK = "Traceback (most recent call last)"

_raised = threading.local()


class _Formatter:
    """Replaces the module ``traceback`` in pymongocrypt, and remembers what is formatted."""

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)

    def format_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> list[str]:
        """Format like ``traceback.format_exception``, and remember the error for this thread."""
        _raised.error = error.with_traceback(trace)
        return traceback.format_exception(kind, error, trace)


def remember_what_is_raised() -> None:
    """Make pymongocrypt remember exceptions raised in its Python functions. It has no option.

    If a release works in another way, ``raise_if_interrupted`` falls back on the text.
    """
    from pymongocrypt import crypto  # type: ignore[import-untyped]

    if getattr(crypto, "traceback", None) is traceback:
        crypto.traceback = _Formatter()


def raise_if_interrupted(error: EncryptionError) -> None:
    """Raise again what was raised inside the library, or Ctrl-C would look like a damaged value.

    Args:
        error: The library's failure.

    Raises:
        BaseException: What a signal's handler raised, unchanged.
        StoreError: Something else was raised inside.
    """
    inside: BaseException | None = _raised.__dict__.pop("error", None)
    is_inside = _TRACEBACK in str(error)
    raised = inside if is_inside else error.cause
    # Python's own handler of Ctrl-C leaves no frame.
    if raised is not None and (not isinstance(raised, Exception) or is_from_handler(raised)):
        raised.__cause__ = raised.__context__ = None
        raise raised
    if is_inside:
        _raise_by_name(str(error))


def _raise_by_name(text: str) -> None:
    name, _, argument = text.strip().splitlines()[-1].partition(": ")
    if name == KeyboardInterrupt.__name__:
        raise KeyboardInterrupt from None
    if name == SystemExit.__name__:
        raise SystemExit(int(argument) if argument.isdecimal() else argument or None) from None
    raise StoreError(f"the encryption did not finish: it was interrupted by {name}") from None
