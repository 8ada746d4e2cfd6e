"""A read preference that selects one secondary, and remembers which."""

import random
from collections.abc import Container
from typing import Any

from pymongo import ReadPreference
from pymongo.read_preferences import Secondary
from pymongo.server_selectors import Selection

Address = tuple[str, int | None]

_PRIMARY = ReadPreference.PRIMARY.mode
_PRIMARY_PREFERRED = ReadPreference.PRIMARY_PREFERRED.mode
# Like pymongo's localThresholdMS: members about as near as the nearest one.
_WINDOW = 0.015


class OneSecondary(Secondary):
    """Selects one secondary, if possible not one to avoid, and remembers which."""

    def __init__(self, chosen: Any, avoided: Container[Address]) -> None:
        """Create it for one read.

        Args:
            chosen: The read preference that the user chose. Its tags are used if it allows reads
                from secondaries.
            avoided: Secondaries to skip if there are others.
        """
        if getattr(chosen, "mode", _PRIMARY) == _PRIMARY_PREFERRED:
            super().__init__(chosen.tag_sets, chosen.max_staleness)
        else:
            super().__init__()
        self._avoided = avoided
        self.selected: Address | None = None

    def __call__(self, selection: Selection) -> Selection:
        """Select one of the secondaries that pymongo knows."""
        found = super().__call__(selection)
        servers = found.server_descriptions
        servers = [one for one in servers if one.address not in self._avoided] or servers
        if not servers:
            return found
        nearest = min(one.round_trip_time or 0.0 for one in servers)
        near = [one for one in servers if (one.round_trip_time or 0.0) <= nearest + _WINDOW]
        server = random.choice(near)  # noqa: S311 - not a secret
        self.selected = server.address
        return found.with_server_descriptions([server])
