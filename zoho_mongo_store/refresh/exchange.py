"""One HTTP request to Zoho that another thread can give up at any moment."""

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
    """There was no answer. The text says why, in a few words."""


class AnswerError(Exception):
    """Zoho answered with something that is no JSON. The text shows nothing of it."""


def silence(timeout: float) -> TimeoutError:
    """Make the error for a Zoho that has not answered for ``timeout`` seconds."""
    return TimeoutError(f"Zoho did not answer within {timeout:g} s")


class Exchange:
    """Sends a request as the SDK does, and can be ended while it is under way.

    The time-outs of ``requests`` bound each step of a request and not the whole: they wait without
    end for an answer that comes one byte at a time, and for a name that is slow to resolve.
    ``abort`` ends the connection under the thread that waits, and keeps a request that has not been
    sent yet from being sent.

    Each request has a session of its own, as ``requests.post`` does: it takes the proxies, the
    certificates and the ``.netrc`` of the environment, no connection that was idle for an hour is
    tried, and nothing is shared with a forked child.
    """

    def __init__(self, url: str, request: TokenRequest, timeout: float) -> None:
        """Prepare a request; nothing is sent yet.

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
            TimeoutError: Zoho stayed silent for the time-out, at any step.
            NoAnswerError: There was none.
            AnswerError: The answer is no JSON.
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
                    f"Zoho's answer is no JSON (HTTP status {response.status_code})"
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
        """End the request, in whatever state it is."""
        with self._lock:
            self._aborted = True
            for held in self._sockets:
                _shut_down(held)

    def hold(self, connected: socket.socket) -> None:
        """Take note of a connection that was made for the request, before anything is sent on it.

        Raises:
            AbortedError: The request has been given up.
        """
        # TLS takes the file descriptor out of the socket; this one leads to the same connection.
        duplicate = connected.dup()
        with self._lock:
            if self._aborted:
                duplicate.close()
                connected.close()
                raise AbortedError
            self._sockets.append(duplicate)


def reason_of(error: BaseException) -> str:
    """Say in the operating system's words why there was no answer, or else in those of the error.

    What ``requests`` makes of it is several errors' representations in one text.
    """
    reason, inner = str(error), _cause_of(error)
    while inner is not None:
        if isinstance(inner, OSError):
            reason = inner.strerror or str(inner) or reason
        inner = _cause_of(inner)
    return reason


def _cause_of(error: BaseException) -> BaseException | None:
    # urllib3 hands on why it gave up as an attribute.
    handed_on = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(handed_on, BaseException):
        return handed_on
    return error.__cause__ or error.__context__


def _is_silence(error: requests.RequestException) -> bool:
    # A body that stops coming is a ConnectionError of requests', with urllib3's error in it.
    return isinstance(error, requests.Timeout) or (
        bool(error.args) and isinstance(error.args[0], ReadTimeoutError)
    )


def _shut_down(connection: socket.socket) -> None:
    # The other end may have been faster.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Makes connections that an ``Exchange`` can end, directly or by a proxy."""

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
