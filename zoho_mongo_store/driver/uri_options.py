"""The options of a connection string: which ones pymongo accepts, and which it ignores."""

import re
from typing import NamedTuple

from pymongo.common import URI_OPTIONS_VALIDATOR_MAP
from pymongo.errors import ConfigurationError
from pymongo.uri_parser import split_options

from zoho_mongo_store.errors import InvalidInputError

NOT_PARSED = frozenset({"compressors"})
"""Parsing these warns of what this machine lacks; the client warns of that itself."""

# pymongo ignores an option with an invalid value. Without one of these, it would log in differently
# or send the tokens unencrypted.
_OF_SECURITY = re.compile(r"(tls|ssl|auth).*")
_REPEATABLE = "readpreferencetags"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class UriOption(NamedTuple):
    """An option as written in a URI, which is also its ``str``.

    Attributes:
        name: Its name.
        value: Its value, percent-encoded.
    """

    name: str
    value: str

    @property
    def key(self) -> str:
        """The name in lower case, by which pymongo knows it."""
        return self.name.lower()

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


def read_options(query: str) -> list[UriOption]:
    """Parse what follows the question mark.

    Raises:
        InvalidInputError: It does not consist of options. The message quotes no part of it.
    """
    if not query:
        return []
    if "&" in query and ";" in query:
        raise InvalidInputError(
            "the options of the MongoDB URI must be separated either by & or by ;, not by both"
        )
    pairs = [one.split("=") for one in re.split("[&;]", query)]
    if not all(len(pair) == 2 for pair in pairs):
        raise InvalidInputError(
            "the options of the MongoDB URI must be name=value; percent-encode a = inside a value"
        )
    return [UriOption(name, value) for name, value in pairs]


def taken_options(given: list[UriOption]) -> tuple[list[UriOption], list[str]]:
    """Leave out the options that pymongo ignores with a warning.

    pymongo warns only when the client is created, and recent releases do not name the option.

    Args:
        given: The options of a URI.

    Returns:
        The remaining options, and one warning for each option that is left out.

    Raises:
        InvalidInputError: An option that security depends on has an invalid value. The message
            names it.
        OSError: A file that an option names cannot be read.
    """
    taken: list[UriOption] = []
    warnings = []
    for place, option in enumerate(given):
        named = f"the option {_shown(option)} in the MongoDB URI"
        is_repeated = any(later.key == option.key for later in given[place + 1 :])
        if option.key not in URI_OPTIONS_VALIDATOR_MAP:
            warnings.append(f"{named} is ignored: pymongo does not know it")
        elif is_repeated and option.key != _REPEATABLE:
            warnings.append(f"{named} is given more than once: the last one counts")
        elif option.key in NOT_PARSED or _has_right_value(option):
            taken.append(option)
        elif _OF_SECURITY.fullmatch(option.key):
            raise InvalidInputError(f"{named} has a value that pymongo does not accept")
        else:
            warnings.append(f"{named} is ignored: pymongo does not accept its value")
    return taken, warnings


def _shown(option: UriOption) -> str:
    """Return the name of an option, unless it cannot be one: then it may be a secret."""
    return option.name if _NAME.fullmatch(option.name) else "with an invalid name"


def _has_right_value(option: UriOption) -> bool:
    try:
        split_options(str(option), validate=True, warn=False, normalize=False)
    except (ValueError, TypeError, KeyError, ConfigurationError):
        return False
    return True
