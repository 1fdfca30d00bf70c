"""Connections: those of one upstream, straight or by a proxy, kept open between requests; urllib3 with its manners.

What is ours: where a connection may lead (`addresses.py`), how long an answer may take to begin, reading into the
caller's buffer, and the errors. No sentence of a library's error is passed on, since there may be secrets in it.
"""

import contextlib
import functools
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit
from weakref import WeakSet

import urllib3
from urllib3.contrib.socks import SOCKSProxyManager
from urllib3.exceptions import HTTPError

from symsrv.mirror.addresses import Guard
from symsrv.mirror.base import Unavailable
from symsrv.mirror.channels import Body, Plain, Socks, SocksTls, Tls, guarded
from symsrv.mirror.proxies import Way, Ways
from symsrv.mirror.settings import UpstreamOptions
from symsrv.mirror.troubles import trouble
from symsrv.model.errors import UsageError

_HOSTS = 16
_IDLE_CONNECTIONS = 64
_PAGE_BYTES = 64 << 10


class Answer(Protocol):
    """What came back: the head is here, the body is read by `take`."""

    url: str
    status: int
    headers: Mapping[str, str]
    """By name in any case; several of one name are joined with commas."""

    def take(self, view: memoryview) -> int:
        """Reads what there is of the body into the view; 0 at its end. Raises Unavailable when it breaks off."""

    @property
    def whole(self) -> bool:
        """Whether the body came to the end that the server had announced."""

    def drain(self) -> None:
        """Closes it; before, reads what little there may be of a refusal, so that the connection is used again."""

    def close(self) -> None:
        """Gives the connection back, if the body was read to its end, else closes it."""


class Connections:
    """All of one upstream's connections. Raises UsageError for certificates that cannot be read."""

    def __init__(self, options: UpstreamOptions) -> None:
        self._options = options
        self._ways = Ways(options.proxy)
        host = urlsplit(options.url).hostname
        self._guard = Guard(host, everything=options.private_addresses)
        self._managers: dict[tuple[Way | None, bool], urllib3.PoolManager] = {}
        self._lock = threading.Lock()
        self._open: set[_Answer] = set()
        self._known: WeakSet[Plain] = WeakSet()
        files = options.credentials
        if files.ca_bundle or files.client_cert:
            self._tls(own=True)

    def get(self, url: str, headers: Mapping[str, str], *, own: bool) -> Answer:
        """Asks for a URL, once; a redirect is an answer like others. `own`: to the upstream's own host.

        Raises Refused or Unavailable.
        """
        way = self._ways.out_to(url)
        host = urlsplit(url).hostname or ""
        if way is not None:
            self._guard.look_at(host)
        timeout = urllib3.Timeout(connect=self._options.connect_timeout, read=self._options.first_byte_timeout)
        try:
            raw = self._manager(way, own=own).urlopen(
                "GET",
                url,
                headers=dict(headers),
                redirect=False,
                retries=False,
                timeout=timeout,
                preload_content=False,
                decode_content=False,
            )
        except (HTTPError, OSError, http.client.HTTPException, ValueError) as error:
            raise trouble(error, host, self._options) from None
        answer = _Answer(cast(urllib3.HTTPResponse, raw), url, self._options.idle_timeout, self._open)
        with self._lock:
            self._open.add(answer)
        return answer

    def close(self) -> None:
        """Closes all connections; who reads from one gets Unavailable."""
        with self._lock:
            managers, self._managers = list(self._managers.values()), {}
            answers, known = list(self._open), list(self._known)
        for connection in known:
            if connection.sock is not None:
                _shut(connection.sock)
        for answer in answers:
            answer.interrupt()
        for manager in managers:
            manager.clear()

    def _know(self, connection: Plain) -> None:
        with self._lock:
            self._known.add(connection)

    @functools.lru_cache(maxsize=2)  # noqa: B019 - it lives and dies with the upstream
    def _tls(self, *, own: bool) -> ssl.SSLContext:
        """What we trust; our own certificate is only for the upstream's own host."""
        context = ssl.create_default_context()
        files = self._options.credentials
        if files.ca_bundle:
            with _readable(files.ca_bundle):
                context.load_verify_locations(files.ca_bundle)
        if own and files.client_cert:
            with _readable(files.client_cert):
                context.load_cert_chain(files.client_cert, files.client_key)
        return context

    def _manager(self, way: Way | None, *, own: bool) -> urllib3.PoolManager:
        with self._lock:
            found = self._managers.get((way, own))
            if found is None:
                found = self._managers[way, own] = self._made(way, own=own)
            return found

    def _made(self, way: Way | None, *, own: bool) -> urllib3.PoolManager:
        more: dict[str, Any] = {"num_pools": _HOSTS, "maxsize": _IDLE_CONNECTIONS, "ssl_context": self._tls(own=own)}
        each: dict[str, Any] = {"seconds": self._options.first_byte_timeout, "known": self._know}
        if way is None:
            return guarded(urllib3.PoolManager(**more), (Plain, Tls), guard=self._guard, **each)
        if way.socks:
            # Names are the proxy's to resolve if it is one that takes names.
            by_name = way.url.startswith(("socks5h:", "socks4a:"))
            guard = Guard(None, everything=True) if by_name else self._guard
            socks = SOCKSProxyManager(way.url, way.user, way.password, **more)
            return guarded(socks, (Socks, SocksTls), guard=guard, **each)
        anywhere = Guard(None, everything=True)
        if way.url.startswith("https:"):
            more["proxy_ssl_context"] = self._tls(own=False)
        proxied = urllib3.ProxyManager(way.url, proxy_headers=way.headers(), **more)
        return guarded(proxied, (Plain, Tls), guard=anywhere, **each)


class _Answer:
    """An answer over one of our connections."""

    def __init__(self, raw: urllib3.HTTPResponse, url: str, idle_seconds: float, opened: set["_Answer"]) -> None:
        self.url = url
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers
        self._raw = raw
        self._opened = opened
        self._body: Body = cast(Plain, raw.connection).latest[0]
        self._idle_seconds = idle_seconds
        self._interrupted = False
        self._body.sock.settimeout(idle_seconds)

    @property
    def whole(self) -> bool:
        """Whether all came: as many bytes as were announced, or the last chunk, or the end of the connection."""
        return self._body.fp is None and not self._body.length

    def take(self, view: memoryview) -> int:
        """One read of the socket."""
        try:
            return self._body.piece(view)
        except TimeoutError:
            seconds = self._idle_seconds
            raise Unavailable("stalled", f"nothing came any more for {seconds:g} s", status=self.status) from None
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            if self._interrupted:
                raise Unavailable("closed", "the upstream was closed", status=self.status) from None
            raise Unavailable("cut", "the connection broke off", status=self.status) from None

    def drain(self) -> None:
        """Within a second, and no more than a page."""
        view = memoryview(bytearray(_PAGE_BYTES))
        try:
            if self._body.length is not None and self._body.length <= _PAGE_BYTES:
                self._body.sock.settimeout(min(1.0, self._idle_seconds))
                while self.take(view):
                    pass
        except Unavailable:
            pass
        finally:
            self.close()

    def interrupt(self) -> None:
        """Ends what another thread reads."""
        self._interrupted = True
        _shut(self._body.sock)

    def close(self) -> None:
        """Only a connection that has nothing left to say is used again."""
        self._opened.discard(self)
        if not self.whole or self._interrupted:
            self._raw.close()
        self._raw.release_conn()


def _shut(sock: socket.socket) -> None:
    """Wakes whoever waits for it."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Says which certificate cannot be used; nothing of what is in it."""
    try:
        yield
    except OSError as error:  # an SSLError is one, too
        why = "it is no certificate, or not with its key" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageError(f"{path} cannot be used: {why}") from None
