"""The installed versions of what the store uses. Nothing is imported."""

import platform
from importlib.metadata import PackageNotFoundError, version

# All SDK versions install the same package, so there is only one of them.
_DISTRIBUTIONS = (
    *(f"zohocrmsdk{line}_0" for line in (8, 7, 6, 5)),
    "pymongo",
    "pymongocrypt",
    "mysql-connector-python",
)


def installed_versions() -> dict[str, str]:
    """Return the version of Python and of each installed distribution, by name."""
    found = {"Python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
