"""Posting: one request to a receiver, within a time; its address, private or not, is the administrator's to choose."""

import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.contrib.socks import SOCKSProxyManager
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError, TimeoutError

from symsrv import __version__
from symsrv.mirror.forms import Call, NotTold, Reply
from symsrv.mirror.proxies import Way, Ways
from symsrv.mirror.settings import TellOptions
from symsrv.model.errors import UsageError

REPLY_BYTES = 4 << 20
"""More of an answer is not read."""

_BLOCK_BYTES = 1 << 16
_RETRY_AFTER_LIMIT_SECONDS = 3600.0


class Poster:
    """The connections to one receiver. Redirects are not followed: what they lead to was not chosen by anybody here.

    No library's sentence is passed on, and no address but its host: there may be a secret in either.
    """

    def __init__(self, options: TellOptions) -> None:
        self._options = options
        self._ways = Ways(options.proxy)
        self._tls = ssl.create_default_context()
        if options.ca_bundle is not None:
            try:
                self._tls.load_verify_locations(options.ca_bundle)
            except (OSError, ssl.SSLError) as error:
                raise UsageError(f"{options.ca_bundle} has no certificates that can be read") from error
        self._managers: dict[Way | None, urllib3.PoolManager] = {}

    def send(self, call: Call) -> Reply:
        """Makes a request; raises NotTold where no answer comes."""
        deadline = time.monotonic() + self._options.timeout
        headers = {"User-Agent": f"symsrv/{__version__}", "Accept": "application/json", **dict(call.headers)}
        for name, value in self._options.headers.items():
            headers[name] = value if isinstance(value, str) else value.value()
        try:
            answer = self._manager(call.url).urlopen(
                call.method,
                call.url,
                body=call.body or None,
                headers=headers,
                redirect=False,
                retries=False,
                timeout=urllib3.Timeout(total=self._options.timeout),
                preload_content=False,
            )
        except (HTTPError, OSError, ValueError) as error:
            raise self._unreached(call.url, error) from None
        try:
            body = self._read(answer, deadline)
        except (HTTPError, OSError, ValueError) as error:
            raise self._unreached(call.url, error) from None
        finally:
            answer.close()
        return Reply(answer.status, body, _seconds(answer.headers.get("Retry-After")))

    def close(self) -> None:
        """Lets go of connections."""
        for manager in self._managers.values():
            manager.clear()

    def _read(self, answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        body = b""
        while len(body) < REPLY_BYTES and (block := answer.read(_BLOCK_BYTES)):
            body += block
            if time.monotonic() > deadline:
                raise TimeoutError
        return body

    def _manager(self, url: str) -> urllib3.PoolManager:
        way = self._ways.out_to(url)
        if way not in self._managers:
            self._managers[way] = self._made(way)
        return self._managers[way]

    def _made(self, way: Way | None) -> urllib3.PoolManager:
        more: dict[str, Any] = {"num_pools": 2, "maxsize": 1, "ssl_context": self._tls}
        if way is None:
            return urllib3.PoolManager(**more)
        if way.socks:
            return SOCKSProxyManager(way.url, way.user, way.password, **more)
        return urllib3.ProxyManager(way.url, proxy_headers=way.headers(), **more)

    def _unreached(self, url: str, error: Exception) -> NotTold:
        host = urlsplit(url).hostname
        if isinstance(error, TimeoutError) and not isinstance(error, NewConnectionError):
            why = f"did not answer within {self._options.timeout:g}s"
        elif isinstance(error, SSLError | ssl.SSLError):
            why = "has no certificate that is trusted here"
        else:
            why = f"could not be reached ({type(error).__name__})"
        return NotTold("receiver-unavailable", f"{self._options.name}: {host} {why}")


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds, within reason; dates are not worth the trouble."""
    return min(float(text), _RETRY_AFTER_LIMIT_SECONDS) if text is not None and text.isdecimal() else None
