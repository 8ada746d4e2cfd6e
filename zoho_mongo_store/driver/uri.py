"""Checking a connection string without touching the network, and what of it is secret."""

import re
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_plus

from pymongo import WriteConcern
from pymongo.errors import ConfigurationError, InvalidURI
from pymongo.uri_parser import parse_uri

from zoho_mongo_store.driver.uri_options import (
    NOT_PARSED,
    UriOption,
    read_options,
    taken_options,
)
from zoho_mongo_store.errors import InvalidInputError, without

SRV_SCHEME = "mongodb+srv://"
_SCHEME = "mongodb://"

_PORT = 27017
_PASSWORDS = frozenset({"tlscertificatekeyfilepassword", "proxypassword"})
_PROPERTIES = "authmechanismproperties"
_SESSION_TOKEN = re.compile("AWS_SESSION_TOKEN:([^,]+)")
# pymongo's parser refuses these with the other scheme, by which it resolves no name.
_OF_SRV = frozenset({"srvservicename", "srvmaxhosts", "srvallowedhostssuffix"})
# In the values of these an @ may be meant; in any other it belongs to a password with a "?" in it.
_MAY_HOLD_AT = frozenset(
    {
        "appname",
        "authsource",
        "proxyusername",
        "readpreferencetags",
        "replicaset",
        "tlscafile",
        "tlscertificatekeyfile",
        "tlscrlfile",
        _PROPERTIES,
        *_PASSWORDS,
    }
)
# A shorter part of a password is no help to anybody, and masks much else.
_SHORTEST_PART = 3
_PARTS = re.compile(r"[/:?#\[\]@,&=;%\s]+")
_FORM = f"{_SCHEME}[user:password@]host[:port][,...][/database][?option=value&...]"


class MongoUri(NamedTuple):
    """A connection string that pymongo takes.

    Attributes:
        text: The URI for pymongo, without the options that it would warn of and leave out.
        database: The database that it names, or ``None``.
        is_srv: Whether a name server has to be asked for its hosts.
        write_concern: How many members have to acknowledge a write; empty where it does not say.
        warnings: What is said about each option that was left out.
        secrets: What no text may show: passwords, and their parts.
    """

    text: str
    database: str | None
    is_srv: bool
    write_concern: WriteConcern
    warnings: list[str]
    secrets: list[str]

    def __repr__(self) -> str:
        # Not that of a tuple, which would show the password.
        return f"MongoUri(database={self.database!r}, is_srv={self.is_srv})"

    @classmethod
    def parse(cls, uri: str) -> "MongoUri":
        """Check a URI, without the white space around it.

        Args:
            uri: The connection string.

        Raises:
            InvalidInputError: It cannot be read. The text quotes no part of it.
            OSError: A file that an option names cannot be read.
        """
        uri = uri.strip()
        scheme = next((one for one in (_SCHEME, SRV_SCHEME) if uri.startswith(one)), None)
        if scheme is None:
            raise _unreadable(f"it has to begin with {_SCHEME} or {SRV_SCHEME}")
        userinfo, address, query = _cut(uri.removeprefix(scheme))
        given = read_options(query)
        secrets = _secrets(userinfo, given)
        taken, warnings = taken_options(given)
        text = f"{scheme}{f'{userinfo}@' if userinfo else ''}{address}"
        read = _read(scheme, userinfo, address, taken, secrets)
        if taken:
            text += f"?{'&'.join(map(str, taken))}"
        return cls(
            text=text,
            database=read["database"],
            is_srv=scheme == SRV_SCHEME,
            write_concern=WriteConcern(read["options"].get("w")),
            warnings=warnings,
            secrets=secrets,
        )


def _unreadable(reason: str) -> InvalidInputError:
    return InvalidInputError(f"the MongoDB URI cannot be read: {reason}")


def _cut(rest: str) -> tuple[str, str, str]:
    """Cut what follows the scheme into the log-in, hosts with database, and options.

    All before the last ``@`` is the log-in, but for an ``@`` in the value of an option.
    """
    head, _, query = rest.partition("?")
    if "@" in query and not all(_may_hold_at(option) for option in re.split("[&;]", query)):
        raise _not_encoded()
    userinfo, at, address = head.rpartition("@")
    if at:
        _check_userinfo(userinfo)
    if not address:
        raise _unreadable(f"it names no host; its form is {_FORM}")
    return userinfo, address, query


def _may_hold_at(option: str) -> bool:
    """Whether an ``@`` in it, if there is one, is a part of its value."""
    return "@" not in option or option.partition("=")[0].lower() in _MAY_HOLD_AT


def _check_userinfo(userinfo: str) -> None:
    if not userinfo.partition(":")[0]:
        raise _unreadable("there is no user name before the @")
    is_encoded = not re.search(r"%(?![0-9A-Fa-f]{2})", userinfo)
    if not is_encoded or userinfo.count(":") > 1 or re.search("[/?@]", userinfo):
        raise _not_encoded()


def _not_encoded() -> InvalidInputError:
    return _unreadable(
        "in the user name and the password the characters : / ? # [ ] @ and % have to be "
        "percent-encoded (urllib.parse.quote_plus does it)"
    )


def _read(
    scheme: str, userinfo: str, address: str, options: list[UriOption], secrets: list[str]
) -> dict[str, Any]:
    """Have pymongo read the URI, by the scheme that needs no name server."""
    is_srv = scheme == SRV_SCHEME
    query = "&".join(str(one) for one in options if one.key not in NOT_PARSED | _OF_SRV)
    query = query and f"?{query}"
    login = f"{userinfo}@" if userinfo else ""
    try:
        parse_uri(f"{_SCHEME}localhost/{query}")
    except InvalidURI as error:
        raise _unreadable(without(secrets, str(error))) from None
    try:
        read = parse_uri(
            f"{_SCHEME}{login}{address}{query}", default_port=None if is_srv else _PORT
        )
    except (InvalidURI, ValueError):
        # The text may quote what is a part of a password.
        raise _unreadable(f"its hosts or its database are wrong; its form is {_FORM}") from None
    except ConfigurationError as error:
        raise _unreadable(without(secrets, str(error))) from None
    if is_srv and (len(read["nodelist"]) > 1 or read["nodelist"][0][1] is not None):
        raise _unreadable(f"with {SRV_SCHEME} it names one host, without a port")
    if is_srv and read["options"].get("directConnection"):
        raise _unreadable(f"with {SRV_SCHEME} there is no directConnection=true")
    return dict(read)


def _secrets(userinfo: str, options: list[UriOption]) -> list[str]:
    """List the passwords as they are given and decoded, and their parts."""
    password = userinfo.partition(":")[2]
    given = [password] if password else []
    for option in options:
        if option.key in _PASSWORDS:
            given.append(option.value)
        elif option.key == _PROPERTIES:
            given += _SESSION_TOKEN.findall(unquote_plus(option.value))
    whole = {text for one in given for text in (one, unquote(one), unquote_plus(one))}
    parts = {part for one in whole for part in _PARTS.split(one) if len(part) >= _SHORTEST_PART}
    return sorted(one for one in whole | parts if one)
