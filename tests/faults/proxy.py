"""A TCP proxy on a loopback port, between clients and a server: it can be watched and cut."""

import contextlib
import socket
import threading
import time
from types import TracebackType

CHUNK = 1 << 16


class Proxy:
    """Passes all on to a port of this machine, each connection by threads of its own.

    A context manager. A cut is silent, as by a firewall: connections stay open, and what is said
    gets nowhere.

    Attributes:
        heard: What each client said, one ``bytearray`` per connection.
        deaf: Set, it swallows what clients say from now on.
        mute: Set, it swallows what the server says from now on.
    """

    def __init__(self, port: int, *, delay: float = 0.0) -> None:
        """Create it; it listens once it is entered.

        Args:
            port: Where it passes all on to.
            delay: Seconds that what is said takes on its way, in either direction.
        """
        self._target = port
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.uri = f"mongodb://127.0.0.1:{self.port}/?directConnection=true"
        self.heard: list[bytearray] = []
        self.deaf = threading.Event()
        self.mute = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "Proxy":
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()
        for one in self._sockets:
            one.close()

    def _start(self, function: object, *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self._sockets += [client, server]
            heard = bytearray()
            self.heard.append(heard)
            self._start(self._pass, client, server, self.deaf, heard)
            self._start(self._pass, server, client, self.mute, None)

    def _pass(
        self,
        source: socket.socket,
        sink: socket.socket,
        cut: threading.Event,
        heard: bytearray | None,
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                if heard is not None:
                    heard += chunk
                if self._delay:
                    time.sleep(self._delay)
                if not cut.is_set():
                    sink.sendall(chunk)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
