"""Which line of the SDK the tests run on."""

from importlib.metadata import PackageNotFoundError, version

LINES = (5, 6, 7, 8)


def _installed(line: int) -> bool:
    try:
        version(f"zohocrmsdk{line}_0")
    except PackageNotFoundError:
        return False
    return True


# All lines install into one import package, so an environment has exactly one.
(SDK_LINE,) = (line for line in LINES if _installed(line))

FINDS_USER = SDK_LINE >= 6
"""Whether the SDK asks Zoho for the user's name after it got a token."""
SWALLOWS_FAILED_SAVE = SDK_LINE >= 6
"""Whether the SDK goes on when ``save_token`` raises."""
TAKES_UNKNOWN_ID = SDK_LINE >= 8
"""Whether the SDK goes on when ``find_token_by_id`` gives ``None``."""
REVOKES = SDK_LINE >= 8
"""Whether ``OAuthToken.revoke`` works: up to 7 it makes an ``OAuthToken()``, which is refused."""
