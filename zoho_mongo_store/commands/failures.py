"""How a command fails: one line on standard error, and an exit status."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer

from zoho_mongo_store.commands.output import print_error

FAILURE = 1
"""The exit status if MongoDB, Zoho or a file failed, or if something was not found or is damaged.

0 is success, 2 a usage error.
"""
INTERRUPTED = 130
"""The exit status after Ctrl-C."""
_OF_APPLICATION = "what zohoTokenStore may, see zoho-mongo-store create-roles"
_RIGHTS = {
    "init": "what zohoTokenStoreDeploy may, see zoho-mongo-store create-roles",
    "create-roles": "userAdmin on the database of the tokens",
}


class CommandError(Exception):
    """A failure that the command itself explains. Its message contains no secret."""


@contextmanager
def one_line_on_failure(command: str, secrets: list[str]) -> Iterator[None]:
    """Exit if the block fails: with status 1 and one line, or with 130 after Ctrl-C.

    There is no traceback. For an unexpected error, the line shows only its class and location,
    because its message may quote a token.

    Args:
        command: The command's name, with which the line begins.
        secrets: What the line must not show. The block may add to it.
    """
    try:
        yield
    except (typer.Exit, typer.BadParameter, BrokenPipeError):
        raise
    except (KeyboardInterrupt, typer.Abort):
        if sys.stdin is not None and sys.stdin.isatty():
            # The cursor may be after a question, or after the ^C that the terminal shows.
            typer.echo(err=True)
        print_error(command, "interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        print_error(command, explain(error, command, secrets))
        raise typer.Exit(FAILURE) from None


def explain(error: Exception, operation: str, secrets: Iterable[str] = ()) -> str:
    """Say in one sentence why an operation failed, and what to do.

    Args:
        error: The exception.
        operation: The command that failed.
        secrets: What the text must not show.

    Returns:
        The text, without any token or secret.
    """
    if isinstance(error, CommandError | ImportError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    from pymongo.errors import PyMongoError

    from zoho_mongo_store.errors import StoreError, explanation, lacks_privilege

    if lacks_privilege(error):
        return f"the role may not do this: it needs {_RIGHTS.get(operation, _OF_APPLICATION)}"
    if not isinstance(error, PyMongoError | StoreError):
        from zoho_mongo_store.sdk import SDKException

        if isinstance(error, SDKException):
            # The caller names the operation.
            return str(error.args[1]).removeprefix(f"{operation} failed: ")
    return explanation(error, secrets)
