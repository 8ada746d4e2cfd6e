"""The versions of what the store runs with, as installed. Nothing of it is imported."""

import platform
from importlib.metadata import PackageNotFoundError, version

# The lines of the SDK all install as one package, of which there is one.
_DISTRIBUTIONS = (
    *(f"zohocrmsdk{line}_0" for line in (8, 7, 6, 5)),
    "pymongo",
    "pymongocrypt",
    "mysql-connector-python",
)


def installed_versions() -> dict[str, str]:
    """Return the version of Python and of each distribution that is installed, by its name."""
    found = {"Python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
