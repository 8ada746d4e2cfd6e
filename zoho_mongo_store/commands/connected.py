"""Turns a function that works on a collection into a command."""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from zoho_mongo_store.commands.failures import explain, one_line_on_failure
from zoho_mongo_store.commands.options import Options
from zoho_mongo_store.commands.output import print_warning
from zoho_mongo_store.commands.passwords import with_password

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Decorate a function that takes a ``CommandContext`` as its first argument.

    The command has the function's own options, then the shared ones of ``Options``. The context is
    closed when the function returns. A failure ends the command with one line.

    Args:
        command: The function. Its name is the command's.

    Returns:
        The function for Typer's ``app.command``.
    """
    own = inspect.signature(command)
    shared = inspect.signature(Options).parameters.values()
    name = _command_name(command.__name__)

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        options = Options(**{one.name: arguments.pop(one.name) for one in shared})
        secrets: list[str] = []
        with one_line_on_failure(name, secrets):
            options = options._replace(uri=with_password(options.uri))
            with _opened(options, name) as context:
                secrets += context.secrets
                for text in context.warnings:
                    print_warning(text)
                command(context, **arguments)

    parameters = [
        *list(own.parameters.values())[1:],
        *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shared),
    ]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": None}
    return run


def _opened(options: Options, command: str) -> "CommandContext":
    """Make the context of a command.

    Raises:
        typer.BadParameter: The URI or a name is nothing that MongoDB takes: a usage error.
    """
    from zoho_mongo_store.commands.context import CommandContext
    from zoho_mongo_store.errors import InvalidInputError

    try:
        return CommandContext(options)
    except InvalidInputError as error:
        raise typer.BadParameter(explain(error, command)) from None


def _command_name(function_name: str) -> str:
    """Convert ``list_`` to ``list``, ``rotate_keys`` to ``rotate-keys``, and so on.

    ``import_mysql`` is ``import mysql``.
    """
    if function_name.startswith("import_"):
        return function_name.replace("_", " ")
    return function_name.strip("_").replace("_", "-")
