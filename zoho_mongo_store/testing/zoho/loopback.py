"""A Zoho in a child process: the handle that a test or a demo uses."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from zoho_mongo_store.testing.zoho.conduct_handle import ConductHandle
from zoho_mongo_store.testing.zoho.crm_handle import CrmHandle
from zoho_mongo_store.testing.zoho.login_handle import LoginHandle
from zoho_mongo_store.testing.zoho.protocol import CLIENT_ID, CLIENT_SECRET
from zoho_mongo_store.testing.zoho.request_handle import RequestHandle
from zoho_mongo_store.testing.zoho.token_handle import TokenHandle

if TYPE_CHECKING:
    from zoho_mongo_store.sdk import DataCenter


class LoopbackZoho(LoginHandle, TokenHandle, CrmHandle, ConductHandle, RequestHandle):
    """Zoho's accounts server and a part of its CRM API, on a loopback address, with its limits.

    A context manager: entering starts it in a child process, leaving stops it. It keeps all in
    memory and forgets it when stopped. A grant token works once; one refresh token gives at most 10
    access tokens in any 10 minutes and has at most 10 live ones.

    It answers ``/oauth/v2/auth``, ``/oauth/v2/token`` and ``/oauth/v2/token/revoke``, and for the
    SDK's lines 5 to 8 ``users?type=CurrentUser``, ``org``, ``settings/fields``,
    ``settings/modules`` and the records of modules: get, insert, update, delete, and search by
    criteria, e-mail address, phone number or word.

    Each data centre has an address, tokens, requests and settings of its own, as Zoho's have; they
    know the same clients and users. The handle is on the first one, ``data_center`` gives one
    on another. A grant token is exchanged where its user is: elsewhere it is an ``invalid_code``.

    The handle can be pickled, and any process can make one with ``at``; such a handle owns
    nothing: it neither starts nor stops the server. Methods may be called from any thread.

    Args:
        data_centers: Which there are, by the names that Zoho puts into the ``location`` of a
            callback, such as ``("us", "eu")``. Default: ``"us"`` alone.

    Raises:
        ImportError: Werkzeug is not installed.
        ValueError: Zoho has no such data centre.
    """

    client_id = CLIENT_ID
    """The id of the client that tokens are issued to by default."""
    client_secret = CLIENT_SECRET
    """Its secret."""

    def environment(self) -> DataCenter.Environment:
        """The SDK's environment that leads to this server, for whichever SDK is installed."""
        from zoho_mongo_store.sdk import DataCenter

        names = inspect.signature(DataCenter.Environment).parameters
        name = {"name": "loopback"} if "name" in names else {}  # SDK 5 wants one.
        return DataCenter.Environment(
            url=self.url,
            accounts_url=f"{self.url}/oauth/v2/token",
            file_upload_url=self.url,
            **name,
        )

    def environments(self) -> dict[str, DataCenter.Environment]:
        """The environment of each data centre by its location, as ``environment`` gives it."""
        urls = self._data_centers()
        return {location: self.at(url).environment() for location, url in urls.items()}

    def reset(self) -> None:
        """Forget everything, in all data centres: as a Zoho that has just been started."""
        self._ask("reset")
