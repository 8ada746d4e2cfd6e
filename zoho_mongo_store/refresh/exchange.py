"""One HTTP request to Zoho that another thread can abort at any time."""

import contextlib
import socket
import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ReadTimeoutError

from zoho_mongo_store.sdk import TokenRequest


class AbortedError(Exception):
    """The request was given up before it was sent."""


class NoAnswerError(Exception):
    """There was no answer. The message says briefly why."""


class AnswerError(Exception):
    """Zoho's answer is not JSON. The message shows nothing of it."""


def silence(timeout: float) -> TimeoutError:
    """Create the error for a request that Zoho has not answered within ``timeout`` seconds."""
    return TimeoutError(f"Zoho did not answer within {timeout:g} s")


class Exchange:
    """Sends a request as the SDK does, and can be aborted while it is in progress.

    The timeouts of ``requests`` bound each step of a request, not the whole: an answer that arrives
    one byte at a time, or a name that is slow to resolve, can take forever. ``abort`` shuts the
    connection down under the waiting thread, and keeps a request from being sent if it has not been
    sent yet.

    Each request has its own session, as with ``requests.post``: it uses the environment's proxies,
    certificates and ``.netrc``, never reuses a connection that has been idle for an hour, and
    shares nothing with a forked child.
    """

    def __init__(self, url: str, request: TokenRequest, timeout: float) -> None:
        """Prepare a request. Nothing is sent yet.

        Args:
            url: Where to send it.
            request: What to send.
            timeout: Seconds that each step may take.
        """
        self._url = url
        self._request = request
        self._timeout = timeout
        self._lock = threading.Lock()
        self._aborted = False
        self._sockets: list[socket.socket] = []

    def send(self) -> Any:
        """Send the request and read the answer's JSON.

        Raises:
            TimeoutError: A step took longer than the timeout.
            NoAnswerError: There was no answer.
            AnswerError: The answer is not JSON.
            AbortedError: ``abort`` was called before the request was sent.
        """
        try:
            with requests.Session() as session:
                for scheme in ("https://", "http://"):
                    session.mount(scheme, _Adapter(self))
                response = session.post(
                    self._url,
                    data=self._request.fields,
                    headers=self._request.headers,
                    allow_redirects=self._request.follows_redirects,
                    timeout=self._timeout,
                )
            try:
                return response.json()
            except ValueError:
                raise AnswerError(
                    f"Zoho's answer is not JSON (HTTP status {response.status_code})"
                ) from None
        except requests.RequestException as error:
            if _is_silence(error):
                raise silence(self._timeout) from error
            raise NoAnswerError(reason_of(error)) from error
        finally:
            with self._lock:
                for held in self._sockets:
                    held.close()
                self._sockets.clear()

    def abort(self) -> None:
        """End the request, whatever its state."""
        with self._lock:
            self._aborted = True
            for held in self._sockets:
                _shut_down(held)

    def hold(self, connected: socket.socket) -> None:
        """Remember a connection made for the request, before anything is sent over it.

        Raises:
            AbortedError: The request has been aborted.
        """
        # TLS takes the file descriptor out of the socket. The duplicate keeps the connection.
        duplicate = connected.dup()
        with self._lock:
            if self._aborted:
                duplicate.close()
                connected.close()
                raise AbortedError
            self._sockets.append(duplicate)


def reason_of(error: BaseException) -> str:
    """Say why there was no answer: in the operating system's words, else in those of the error.

    The text of ``requests`` strings together the representations of several errors.
    """
    reason, inner = str(error), _cause_of(error)
    while inner is not None:
        if isinstance(inner, OSError):
            reason = inner.strerror or str(inner) or reason
        inner = _cause_of(inner)
    return reason


def _cause_of(error: BaseException) -> BaseException | None:
    # urllib3 passes the reason on as an attribute.
    handed_on = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(handed_on, BaseException):
        return handed_on
    return error.__cause__ or error.__context__


def _is_silence(error: requests.RequestException) -> bool:
    # If a body stops arriving, requests raises a ConnectionError that wraps urllib3's error.
    return isinstance(error, requests.Timeout) or (
        bool(error.args) and isinstance(error.args[0], ReadTimeoutError)
    )


def _shut_down(connection: socket.socket) -> None:
    # The other end may have closed it already.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Makes connections, direct or through a proxy, that an ``Exchange`` can shut down."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self._tether(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        self._tether(manager)
        return manager

    def _tether(self, manager: Any) -> None:
        manager.pool_classes_by_scheme = {
            scheme: _tethered_pool(pool, self._exchange)
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }


def _tethered_pool(pool: Any, exchange: Exchange) -> Any:
    class Connection(pool.ConnectionCls):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()
            exchange.hold(connected)
            return connected

    class Pool(pool):  # type: ignore[misc]
        ConnectionCls = Connection

    return Pool
