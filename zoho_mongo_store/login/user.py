"""Who logged in."""

from typing import NamedTuple


class ZohoUser(NamedTuple):
    """A user who logged in: plain strings, for a session.

    Attributes:
        name: The name that the SDK and the store know the user by: the e-mail address and the
            organization's id, such as ``"ada@example.com:10001"``.
        id: The id of the stored token.
    """

    name: str
    id: str
