"""What commands say about their failures: one line, and an exit status."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import typer

FAILURE = 1
"""MongoDB, Zoho or a file failed, or something was not found. 0 is success, 2 wrong usage."""
_INTERRUPTED = 130

_PROGRAM = "zoho-mongo-store"


def say(command: str, text: str) -> None:
    """One line on standard error."""
    typer.echo(f"{_PROGRAM} {command}: {printable(' '.join(text.split()))}", err=True)


def warn(text: str) -> None:
    """One line on standard error, for what does not end the command."""
    typer.echo(f"{_PROGRAM}: warning: {printable(' '.join(text.split()))}", err=True)


def printable(text: str) -> str:
    """``text`` with what could move a terminal's cursor or colour it made visible."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


class CommandError(Exception):
    """A failure that the command itself understands; its text shows no secret."""


@contextmanager
def reported(command: str) -> Iterator[list[Callable[[], Iterable[str]]]]:
    """End with status 1 and one line on standard error if the block fails, 130 on Ctrl-C.

    No traceback, and no secret: what is not understood is told by its kind and place alone. The
    block gets a list, to which it adds what tells the secrets that no line may show.
    """
    secrets: list[Callable[[], Iterable[str]]] = []
    try:
        yield secrets
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        say(command, "interrupted")
        raise typer.Exit(_INTERRUPTED) from None
    except Exception as error:
        say(command, explained(error, command, [text for tell in secrets for text in tell()]))
        raise typer.Exit(FAILURE) from None


def explained(error: Exception, what: str, secrets: Iterable[str] = ()) -> str:
    """Why ``what`` failed, and what to do."""
    if isinstance(error, CommandError | ImportError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    from zoho_mongo_store.errors import StoreError, failure
    from zoho_mongo_store.sdk import SDKException

    if isinstance(error, StoreError):
        return str(error)
    failed = error if isinstance(error, SDKException) else failure(what, error, secrets)
    return str(failed.args[1])
