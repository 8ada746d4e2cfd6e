"""Zoho's data centres: the only servers that a login sends a client secret to."""

from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import urljoin, urlsplit

from zoho_mongo_store.login.callback_errors import UnknownDataCenterError
from zoho_mongo_store.sdk import DataCenter, zoho_data_centers

Kind = Literal["production", "sandbox", "developer"]


class DataCenters:
    """Those that users may come from, and the one that logins begin at.

    Attributes:
        default: The environment of the latter.
        by_url: The environment of each by the address of its API.
    """

    def __init__(
        self,
        data_center: str,
        environment: Kind,
        data_centers: Mapping[str, DataCenter.Environment] | None,
    ) -> None:
        """List them; see ``ZohoLogin``."""
        if environment not in get_args(Kind):
            raise ValueError(f"environment has to be one of {', '.join(get_args(Kind))}")
        self._by_name = dict(data_centers or zoho_data_centers(environment))
        if data_center not in self._by_name:
            raise ValueError(f"data_center has to be one of {', '.join(self._by_name)}")
        self.default = self._by_name[data_center]
        self.by_url = {one.url: one for one in self._by_name.values()}

    @property
    def authorize_url(self) -> str:
        """The page that a login begins at."""
        return urljoin(self.default.accounts_url, "auth")

    def of_callback(self, parameters: Mapping[str, str]) -> DataCenter.Environment:
        """Find the data centre that a callback names, which is the one that knows its grant token.

        The request only chooses among those listed here: its ``accounts-server`` is compared, and
        nothing is ever sent there.

        Raises:
            UnknownDataCenterError: It names another one, or two.
        """
        location, server = parameters.get("location"), parameters.get("accounts-server")
        if not location and not server:
            return self.default
        for name, environment in self._by_name.items():
            named_by_location = not location or location == name
            named_by_server = not server or str(server).rstrip("/") == _origin(environment)
            if named_by_location and named_by_server:
                return environment
        raise UnknownDataCenterError(
            f"the callback names no data centre of this login: {', '.join(self._by_name)}"
        )


def _origin(environment: DataCenter.Environment) -> str:
    parts = urlsplit(environment.accounts_url)
    return f"{parts.scheme}://{parts.netloc}"
