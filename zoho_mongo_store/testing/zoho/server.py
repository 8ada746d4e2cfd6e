"""Starts and stops a loopback Zoho in a child process, and sends it control requests."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from zoho_mongo_store.testing.child import Child, Tether, require
from zoho_mongo_store.testing.zoho.protocol import LOCATIONS

START_TIMEOUT = 30.0
CONTROL_TIMEOUT = 30.0
URL_LINE = r"(?m)^(http://\S+)$"
APP = "zoho_mongo_store.testing.zoho.app"


class ZohoServer:
    """The process of a loopback Zoho and its control requests; see ``LoopbackZoho``."""

    def __init__(self, data_centers: Sequence[str] = ("us",)) -> None:
        require("werkzeug")
        if not data_centers or not set(data_centers) <= set(LOCATIONS):
            raise ValueError(f"data_centers must name some of {', '.join(LOCATIONS)}")
        if isinstance(data_centers, str) or len(set(data_centers)) < len(data_centers):
            raise ValueError("data_centers must be a sequence without duplicates")
        self._locations = tuple(data_centers)
        self._url: str | None = None
        self._tether: Tether | None = None
        self._child: Child | None = None

    @classmethod
    def at(cls, url: str) -> Self:
        """Return a handle for a server that is already running, in any process."""
        zoho = cls.__new__(cls)
        zoho._url = url
        zoho._tether = zoho._child = None
        return zoho

    @property
    def url(self) -> str:
        """The address of the data centre, such as ``http://127.0.0.1:40001``.

        Its accounts server, its API and its authorize page are all at this address.
        """
        if self._url is None:
            raise RuntimeError("The loopback Zoho has no address yet: start it first.")
        return self._url

    @property
    def pid(self) -> int | None:
        """The id of the server's process, or None if this handle did not start it."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the server on free ports, and wait until it is listening.

        Raises:
            RuntimeError: It is already running, or was not listening within 30 s.
        """
        if self._url is not None:
            raise RuntimeError("The loopback Zoho is already running.")
        self._tether = Tether()
        try:
            self._child = self._tether.run_module(APP, *self._locations)
            deadline = time.monotonic() + START_TIMEOUT
            self._url = self._child.wait_for_output(URL_LINE, deadline)[1]
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server. Has no effect if this handle did not start it."""
        if self._tether is not None:
            self._tether.close()
            self._tether = self._child = self._url = None

    def data_center(self, location: str) -> Self:
        """Return a handle for another data centre of this Zoho, such as ``"eu"``.

        Raises:
            ValueError: There is no such data centre.
        """
        urls = self._data_centers()
        if location not in urls:
            raise ValueError(f"this Zoho has the data centres {', '.join(urls)}, not {location}")
        return self.at(urls[location])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return type(self).at, (self.url,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url or 'stopped'})"

    def _data_centers(self) -> dict[str, str]:
        """Return the address of each data centre by its location."""
        urls: dict[str, str] = self._ask("data_centers")
        return urls

    def _ask(self, operation: str, **arguments: object) -> Any:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=CONTROL_TIMEOUT)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/control/{operation}", json.dumps(arguments), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except ConnectionRefusedError as error:
            message = f"no loopback Zoho listens at {self.url}: start it first"
            raise ConnectionRefusedError(error.errno, message) from error
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(f"{operation}: {answer['error']}")
        return answer["result"]
