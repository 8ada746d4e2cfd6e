"""Zoho's data centres: the only servers that a login sends a client secret to."""

from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import urljoin, urlsplit

from zoho_mongo_store.login.callback_errors import UnknownDataCenterError
from zoho_mongo_store.sdk import DataCenter, zoho_data_centers

Kind = Literal["production", "sandbox", "developer"]


class DataCenters:
    """The data centres that users may come from, and the one where logins begin.

    Attributes:
        default: The environment of the data centre where logins begin.
        by_url: The environment of each data centre, by the URL of its API.
    """

    def __init__(
        self,
        data_center: str,
        environment: Kind,
        data_centers: Mapping[str, DataCenter.Environment] | None,
    ) -> None:
        """Choose the data centres. See ``ZohoLogin`` for the arguments."""
        if environment not in get_args(Kind):
            raise ValueError(f"environment must be one of {', '.join(get_args(Kind))}")
        self._by_name = dict(data_centers or zoho_data_centers(environment))
        if data_center not in self._by_name:
            raise ValueError(f"data_center must be one of {', '.join(self._by_name)}")
        self.default = self._by_name[data_center]
        self.by_url = {one.url: one for one in self._by_name.values()}

    @property
    def authorize_url(self) -> str:
        """The page where a login begins."""
        return urljoin(self.default.accounts_url, "auth")

    def of_callback(self, parameters: Mapping[str, str]) -> DataCenter.Environment:
        """Find the data centre that a callback names: the one that issued its grant token.

        The request can only choose among the known ones: its ``accounts-server`` is compared with
        theirs, and is never used as an address.

        Raises:
            UnknownDataCenterError: It names an unknown data centre, or two different ones.
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
            f"the callback names a data centre other than {', '.join(self._by_name)}"
        )


def _origin(environment: DataCenter.Environment) -> str:
    parts = urlsplit(environment.accounts_url)
    return f"{parts.scheme}://{parts.netloc}"
