"""Checks a connection string without touching the network, and finds its secrets."""

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
# pymongo's parser refuses these with the mongodb:// scheme, which does not resolve the name.
_OF_SRV = frozenset({"srvservicename", "srvmaxhosts", "srvallowedhostssuffix"})
# The values of these may contain an @. Anywhere else it belongs to a password that contains a "?".
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
# A shorter part of a password gives nothing away, and masking it would mask much else.
_SHORTEST_PART = 3
_PARTS = re.compile(r"[/:?#\[\]@,&=;%\s]+")
_FORM = f"{_SCHEME}[user:password@]host[:port][,...][/database][?option=value&...]"


class MongoUri(NamedTuple):
    """A connection string that pymongo accepts.

    Attributes:
        text: The URI for pymongo, without the options that it would ignore with a warning.
        database: The database that it names, or ``None``.
        is_srv: Whether its hosts must be looked up in DNS.
        write_concern: Its write concern; empty if it has none.
        warnings: One text for each option that was left out.
        secrets: What no text may show: passwords and parts of them.
    """

    text: str
    database: str | None
    is_srv: bool
    write_concern: WriteConcern
    warnings: list[str]
    secrets: list[str]

    def __repr__(self) -> str:
        # The repr of a tuple would show the password.
        return f"MongoUri(database={self.database!r}, is_srv={self.is_srv})"

    @classmethod
    def parse(cls, uri: str) -> "MongoUri":
        """Check a URI, ignoring surrounding white space.

        Args:
            uri: The connection string.

        Raises:
            InvalidInputError: It cannot be parsed. The message quotes no part of it.
            OSError: A file that an option names cannot be read.
        """
        uri = uri.strip()
        scheme = next((one for one in (_SCHEME, SRV_SCHEME) if uri.startswith(one)), None)
        if scheme is None:
            raise _unreadable(f"it must begin with {_SCHEME} or {SRV_SCHEME}")
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
    """Split what follows the scheme into credentials, hosts with database, and options.

    Everything before the last ``@`` is credentials, except for an ``@`` in an option's value.
    """
    head, _, query = rest.partition("?")
    if "@" in query and not all(_may_hold_at(option) for option in re.split("[&;]", query)):
        raise _not_encoded()
    userinfo, at, address = head.rpartition("@")
    if at:
        _check_userinfo(userinfo)
    if not address:
        raise _unreadable(f"it names no host; the format is {_FORM}")
    return userinfo, address, query


def _may_hold_at(option: str) -> bool:
    """Whether the option has no ``@``, or one that belongs to its value."""
    return "@" not in option or option.partition("=")[0].lower() in _MAY_HOLD_AT


def _check_userinfo(userinfo: str) -> None:
    if not userinfo.partition(":")[0]:
        raise _unreadable("there is no user name before the @")
    is_encoded = not re.search(r"%(?![0-9A-Fa-f]{2})", userinfo)
    if not is_encoded or userinfo.count(":") > 1 or re.search("[/?@]", userinfo):
        raise _not_encoded()


def _not_encoded() -> InvalidInputError:
    return _unreadable(
        "in the user name and the password the characters : / ? # [ ] @ and % must be "
        "percent-encoded (use urllib.parse.quote_plus)"
    )


def _read(
    scheme: str, userinfo: str, address: str, options: list[UriOption], secrets: list[str]
) -> dict[str, Any]:
    """Have pymongo parse the URI, with the scheme that needs no name server."""
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
        # The text may quote a part of a password.
        raise _unreadable(f"its hosts or its database are wrong; the format is {_FORM}") from None
    except ConfigurationError as error:
        raise _unreadable(without(secrets, str(error))) from None
    if is_srv and (len(read["nodelist"]) > 1 or read["nodelist"][0][1] is not None):
        raise _unreadable(f"with {SRV_SCHEME} it must name exactly one host, without a port")
    if is_srv and read["options"].get("directConnection"):
        raise _unreadable(f"{SRV_SCHEME} and directConnection=true exclude each other")
    return dict(read)


def _secrets(userinfo: str, options: list[UriOption]) -> list[str]:
    """List the passwords, as given and decoded, and their parts."""
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
