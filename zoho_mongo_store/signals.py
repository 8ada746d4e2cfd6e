"""Tells exceptions raised by signal handlers from failures."""

import functools
import signal
from types import CodeType, FunctionType, MethodType


def is_from_handler(error: BaseException) -> bool:
    """Whether a function that is currently a signal's handler raised ``error``."""
    handlers = _handlers()
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in handlers:
            return True
        traceback = traceback.tb_next
    return False


def raised_by_handler(
    error: BaseException, besides: BaseException | None = None
) -> BaseException | None:
    """Find an exception raised by a signal's handler in an error and everything that led to it.

    Python runs signal handlers between any two instructions of the main thread. An exception that
    they raise (a task queue's time limit, for example) passes through whatever code is running, and
    can look like a failure of that code: pymongo and the SDK wrap it in exceptions of their own.

    Args:
        error: The exception that was caught.
        besides: The exception that was already being handled (``sys.exception()``). Exceptions
            raised since then refer to it but were not caused by it.

    Returns:
        The exception that the handler raised, or ``None``.
    """
    waiting: list[object] = [error]
    seen: set[int] = {id(besides)}
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        if is_from_handler(one):
            return one
        # The SDK's and pymongo's exceptions keep what they wrap in a field named cause.
        waiting += [one.__context__, one.__cause__, getattr(one, "cause", None)]
    return None


def _handlers() -> set[CodeType]:
    """The code of all functions that currently handle a signal."""
    found = (_code(signal.getsignal(number)) for number in signal.valid_signals())
    return {code for code in found if code is not None}


def _code(handler: object) -> CodeType | None:
    while isinstance(handler, functools.partial):
        handler = handler.func
    if not isinstance(handler, FunctionType | MethodType) and callable(handler):
        handler = type(handler).__call__
    code: CodeType | None = getattr(handler, "__code__", None)
    return code
