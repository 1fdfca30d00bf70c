"""Channels: urllib3's connections, led only where a guard allows, and read piece by piece into the caller's buffer.

urllib3 has its own ways for two things that are not enough here: it connects to whatever a name resolves to, and an
answer's head may trickle for ever, as its time to read counts for each read anew.
"""

import functools
import http.client
import io
import socket
import time
from collections.abc import Callable
from typing import Any, cast

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.contrib.socks import SOCKSConnection, SOCKSHTTPSConnection

from symsrv.mirror.addresses import Guard


class Body(http.client.HTTPResponse):
    """A response that begins in time, and is read into a buffer one piece at a time."""

    def __init__(self, sock: socket.socket, *args: Any, seconds: float, latest: "list[Body]", **more: Any) -> None:
        super().__init__(sock, *args, **more)
        latest[:] = [self]
        self.begun = False
        self.sock = sock
        self._timed = _Timed(self.fp.detach(), sock, seconds)
        self._timed.start()  # not in `begin` alone: a proxy's answer to CONNECT is read without it
        self.fp = io.BufferedReader(self._timed)

    def begin(self) -> None:
        """Reads the head, which may take the time to the first byte in all, however it trickles."""
        self._timed.start()
        super().begin()
        self._timed.stop()
        self.begun = True

    def piece(self, view: memoryview) -> int:
        """What one read of the socket gives; 0 at the end."""
        if self.fp is None:
            return 0
        if self.chunked:
            data = self.read1(len(view))
            view[: len(data)] = data
            return len(data)
        if self.length is not None and self.length < len(view):
            view = view[: self.length]
        count = self.fp.readinto1(view) if view else 0
        if self.length is not None:
            self.length -= count
        if not count or self.length == 0:
            self.close()
        return count


class _Timed(io.RawIOBase):
    """A socket's bytes; while it is started, all reads together may take `seconds`."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, seconds: float) -> None:
        self._raw = raw
        self._sock = sock
        self._seconds = seconds
        self._end: float | None = None

    def start(self) -> None:
        self._end = time.monotonic() + self._seconds

    def stop(self) -> None:
        self._end = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._raw.close()


class _Guarded:
    """What all of our connections have besides urllib3's: a guard where they lead, and bodies of our kind."""

    def __init__(self, *args: Any, guard: Guard, seconds: float, known: Callable[[Any], None], **more: Any) -> None:
        super().__init__(*args, **more)
        known(self)
        self.guard = guard
        # Nothing in it knows this connection: in a circle, a socket would stay open until somebody looks for circles.
        self.latest: list[Body] = []
        self.response_class: Any = functools.partial(Body, seconds=seconds, latest=self.latest)

    def close(self) -> None:
        """Closes an answer that never began with it, which holds the socket; others are their readers' to close."""
        super().close()  # type: ignore[misc]
        for body in self.latest:
            if not body.begun:
                body.close()

    def _new_conn(self) -> socket.socket:
        mine = cast(HTTPConnection, self)
        seconds = mine.timeout
        return self.guard.connect(mine.host, mine.port, seconds=seconds, options=mine.socket_options or ())


class Plain(_Guarded, HTTPConnection):
    """HTTP, straight or by an HTTP proxy."""


class Tls(_Guarded, HTTPSConnection):
    """HTTPS, straight or through an HTTP proxy."""


class _GuardedSocks(_Guarded):
    def _new_conn(self) -> socket.socket:
        """By the proxy; with a name that we resolve, to an address that will do."""
        mine = cast(SOCKSConnection, self)
        if not mine._socks_options["rdns"]:
            name = mine.host
            mine.host = self.guard.addresses(name, mine.port)[0][1][0]
            try:
                return super(_Guarded, mine)._new_conn()  # type: ignore[misc,no-any-return]
            finally:
                mine.host = name
        return super(_Guarded, mine)._new_conn()  # type: ignore[misc,no-any-return]


class Socks(_GuardedSocks, SOCKSConnection):
    """HTTP by a SOCKS proxy."""


class SocksTls(_GuardedSocks, SOCKSHTTPSConnection):
    """HTTPS by a SOCKS proxy."""


def guarded(manager: urllib3.PoolManager, kinds: tuple[type, type], **each: Any) -> urllib3.PoolManager:
    """The manager, with our kinds of connections in its pools, for http and https; each gets these arguments.

    `guard` says where they may lead, `seconds` in what time an answer's head has to be here, `known` is told of each.
    """
    pools = {}
    for scheme, pool, connection in (
        ("http", urllib3.HTTPConnectionPool, kinds[0]),
        ("https", urllib3.HTTPSConnectionPool, kinds[1]),
    ):
        made = functools.partial(connection, **each)
        pools[scheme] = type(pool.__name__, (pool,), {"ConnectionCls": staticmethod(made)})
    manager.pool_classes_by_scheme = pools
    return manager
