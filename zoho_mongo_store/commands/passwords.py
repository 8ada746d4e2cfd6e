"""Asks for passwords, so that they need not be on the command line."""

import getpass
import re
import sys
from urllib.parse import quote, unquote

import typer

from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.output import printable

_USER_ALONE = re.compile(
    r"(?P<before>\s*mongodb(?:\+srv)?://(?P<user>[^/@:?]+))(?P<after>@.*)", re.S
)
# These mechanisms need no password.
_OTHER_LOGINS = re.compile(r"authMechanism=(MONGODB-X509|MONGODB-AWS|MONGODB-OIDC|GSSAPI)", re.I)


def with_password(uri: str | None) -> str | None:
    """Return the URI, with a password that is asked for if the URI names a user without one.

    Raises:
        CommandError: No password was given.
    """
    matched = None if uri is None else _USER_ALONE.fullmatch(uri)
    if matched is None or _OTHER_LOGINS.search(matched["after"]):
        return uri
    password = ask_password(f"Password of {unquote(matched['user'])}: ")
    if not password:
        raise CommandError("the URI names a user without a password, and none was given")
    return f"{matched['before']}:{quote(password, safe='')}{matched['after']}"


def ask_password(prompt: str) -> str:
    """Ask on the terminal, or read a line if standard input is not a terminal."""
    if sys.stdin.isatty():
        return getpass.getpass(printable(prompt, sys.stderr))
    typer.echo(printable(prompt, sys.stderr), err=True)
    return sys.stdin.readline().rstrip("\n")
