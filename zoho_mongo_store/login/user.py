"""The user who logged in."""

from typing import NamedTuple


class ZohoUser(NamedTuple):
    """A user who logged in. Two plain strings, so it can be kept in a session.

    Attributes:
        name: The user's name in the SDK and the store: the e-mail address and the organization's
            id, such as ``"ada@example.com:10001"``.
        id: The id of the stored token.
    """

    name: str
    id: str
