"""The options of a connection string: which of them pymongo takes, and which it ignores."""

import re
from typing import NamedTuple

from pymongo.common import URI_OPTIONS_VALIDATOR_MAP
from pymongo.errors import ConfigurationError
from pymongo.uri_parser import split_options

from zoho_mongo_store.errors import InvalidInputError

NOT_PARSED = frozenset({"compressors"})
"""Reading these is no error, but warns of what this machine lacks; the client does so itself."""

# pymongo leaves out an option with a wrong value. Without one of these the log-in would be another,
# or the tokens would be sent in plain.
_OF_SECURITY = re.compile(r"(tls|ssl|auth).*")
_REPEATABLE = "readpreferencetags"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class UriOption(NamedTuple):
    """An option as it is written in a URI; its ``str`` is that.

    Attributes:
        name: Its name.
        value: Its value, percent-encoded.
    """

    name: str
    value: str

    @property
    def key(self) -> str:
        """The name by which pymongo knows it, which has no upper case."""
        return self.name.lower()

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


def read_options(query: str) -> list[UriOption]:
    """Read what follows the question mark.

    Raises:
        InvalidInputError: It is not made of options. The text quotes no part of it.
    """
    if not query:
        return []
    if "&" in query and ";" in query:
        raise InvalidInputError(
            "the options of the MongoDB URI are separated by &, or by ;, but not by both"
        )
    pairs = [one.split("=") for one in re.split("[&;]", query)]
    if not all(len(pair) == 2 for pair in pairs):
        raise InvalidInputError(
            "the options of the MongoDB URI have to be name=value, with = percent-encoded in a "
            "value"
        )
    return [UriOption(name, value) for name, value in pairs]


def taken_options(given: list[UriOption]) -> tuple[list[UriOption], list[str]]:
    """Leave out the options that pymongo ignores with a warning.

    pymongo warns when the client is made, in releases of late without the option's name.

    Args:
        given: The options of a URI.

    Returns:
        The others, and what to say of each that is left out.

    Raises:
        InvalidInputError: One on which security depends has a wrong value. The text names it.
        OSError: The file that one names cannot be read.
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
            raise InvalidInputError(f"{named} has a value that pymongo does not take")
        else:
            warnings.append(f"{named} is ignored: pymongo does not take its value")
    return taken, warnings


def _shown(option: UriOption) -> str:
    """Give the name of an option, unless it cannot be one."""
    return option.name if _NAME.fullmatch(option.name) else "with the strange name"


def _has_right_value(option: UriOption) -> bool:
    try:
        split_options(str(option), validate=True, warn=False, normalize=False)
    except (ValueError, TypeError, KeyError, ConfigurationError):
        return False
    return True
