"""Tells what a signal's handler raised from what went wrong."""

import functools
import signal
from types import CodeType, FunctionType, MethodType


def is_from_handler(error: BaseException) -> bool:
    """Whether a function that handles a signal now raised ``error``."""
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
    """Find what a signal's handler raised among an error and all that led to it.

    Python runs the handlers of signals between any two instructions of the main thread. What they
    raise (a task queue's time limit, for example) passes through whatever runs there, and may be
    taken for a failure of that: pymongo and the SDK wrap it into exceptions of their own.

    Args:
        error: What was caught.
        besides: The exception that was being handled before (``sys.exception()``): what is raised
            meanwhile refers to it, and does not come from it.

    Returns:
        What the handler raised, or ``None`` where none did.
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
        # The SDK's and pymongo's exceptions have what they wrap in a field of that name.
        waiting += [one.__context__, one.__cause__, getattr(one, "cause", None)]
    return None


def _handlers() -> set[CodeType]:
    """The code of all functions that handle a signal now."""
    found = (_code(signal.getsignal(number)) for number in signal.valid_signals())
    return {code for code in found if code is not None}


def _code(handler: object) -> CodeType | None:
    while isinstance(handler, functools.partial):
        handler = handler.func
    if not isinstance(handler, FunctionType | MethodType) and callable(handler):
        handler = type(handler).__call__
    code: CodeType | None = getattr(handler, "__code__", None)
    return code
