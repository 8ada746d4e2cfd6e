"""Making a command of a function that works on a collection."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from zoho_mongo_store.commands.options import Options
from zoho_mongo_store.commands.reporting import reported


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function whose first argument is a ``CommandContext``.

    The command line gets the shared options behind the function's own, and failures end it with one
    line.
    """
    own = inspect.signature(command)
    shared = inspect.signature(Options).parameters.values()
    name = _typed(command.__name__)

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        options = Options(**{one.name: arguments.pop(one.name) for one in shared})
        with reported(name) as secrets:
            from zoho_mongo_store.commands.context import CommandContext

            context = CommandContext(options)
            secrets.append(context.secrets)
            command(context, **arguments)

    parameters = [
        *list(own.parameters.values())[1:],
        *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shared),
    ]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": None}
    return run


def _typed(name: str) -> str:
    """How a command is typed: ``list_`` is ``list``, ``rotate_keys`` is ``rotate-keys``, and
    ``import_mysql`` is ``import mysql``."""
    if name.startswith("import_"):
        return name.replace("_", " ")
    return name.strip("_").replace("_", "-")
