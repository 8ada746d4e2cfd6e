"""The user who logged in."""

from typing import NamedTuple


class ZohoUser(NamedTuple):
    """A user who logged in.

    Keep its name in a session, or in the arguments of a queued task. JSON turns the whole into a
    list, and ``ZohoUser(*kept)`` restores it.

    Attributes:
        name: The user's name in the SDK and the store: the e-mail address and the organization's
            id, such as ``"ada@example.com:10001"``.
        id: The id of the stored token.
    """

    name: str
    id: str
