"""A loopback Zoho in a child process: the handle that a test or demo uses."""

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
    """Zoho's accounts server and part of its CRM API on a loopback address, with Zoho's limits.

    Use it as a context manager: entering starts it in a child process, leaving stops it. It keeps
    everything in memory, and forgets it when stopped. A grant token can be exchanged once. A
    refresh token yields at most 10 access tokens in any 10 minutes, of which at most 10 are live.

    It answers ``/oauth/v2/auth``, ``/oauth/v2/token`` and ``/oauth/v2/token/revoke``. For SDK 5 to
    8 it also answers ``users?type=CurrentUser``, ``org``, ``settings/fields``, ``settings/modules``
    and requests for the records of modules: get, insert, update, delete, and search by criteria,
    e-mail address, phone number or word.

    As with Zoho, each data centre has its own address, tokens, requests and settings, but all know
    the same clients and users. The handle is for the first data centre; :meth:`data_center` returns
    one for another. A grant token can be exchanged only in its user's data centre: elsewhere the
    answer is ``invalid_code``.

    The handle can be pickled, and any process can create one with :meth:`at`. Such a handle does
    not own the server: it neither starts nor stops it. Methods can be called from any thread.

    Args:
        data_centers: The data centres, by the names that Zoho uses as ``location`` in callbacks,
            such as ``("us", "eu")``. Default: only ``"us"``.

    Raises:
        ImportError: Werkzeug is not installed.
        ValueError: Zoho has no such data centre.
    """

    client_id = CLIENT_ID
    """The id of the client that tokens are issued to by default."""
    client_secret = CLIENT_SECRET
    """Its secret."""

    def environment(self) -> DataCenter.Environment:
        """Return the environment for this server, for whichever SDK is installed."""
        from zoho_mongo_store.sdk import DataCenter

        names = inspect.signature(DataCenter.Environment).parameters
        name = {"name": "loopback"} if "name" in names else {}  # SDK 5 requires one.
        return DataCenter.Environment(
            url=self.url,
            accounts_url=f"{self.url}/oauth/v2/token",
            file_upload_url=self.url,
            **name,
        )

    def environments(self) -> dict[str, DataCenter.Environment]:
        """Return the environment of each data centre by its location; see :meth:`environment`."""
        urls = self._data_centers()
        return {location: self.at(url).environment() for location, url in urls.items()}

    def reset(self) -> None:
        """Forget everything, in all data centres, as if freshly started."""
        self._ask("reset")
