"""Proxies: the way out to a host, out of an upstream's options or the environment; who needs none."""

import base64
import ipaddress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

from symsrv.mirror.settings import Proxy
from symsrv.model.errors import UsageError

SOCKS = ("socks5", "socks5h", "socks4", "socks4a")
_KINDS = ("http", "https", *SOCKS)


@dataclass(frozen=True, slots=True)
class Way:
    """A proxy: its URL without any secret, and who we are to it (`user`, `password`), which is not for showing."""

    url: str
    user: str | None = None
    password: str | None = None

    @property
    def socks(self) -> bool:
        """Whether it is a SOCKS proxy, else an HTTP one."""
        return self.url.split(":", 1)[0] in SOCKS

    def __repr__(self) -> str:
        return f"Way({self.url!r})"

    def headers(self) -> dict[str, str]:
        """What an HTTP proxy is sent besides the request."""
        if self.user is None:
            return {}
        pair = f"{self.user}:{self.password or ''}".encode()
        return {"Proxy-Authorization": "Basic " + base64.b64encode(pair).decode()}


class Ways:
    """The ways out of one upstream."""

    def __init__(self, options: Proxy) -> None:
        self._except_for = options.except_for
        self._by_scheme: dict[str, Way] = {}
        if options.url is None:
            found = getproxies_environment()
            self._except_for += tuple(one for one in found.pop("no", "").replace(",", " ").split() if one)
            for scheme in ("http", "https"):
                text = found.get(scheme) or found.get("all")
                if text:
                    self._by_scheme[scheme] = _way(text, options)
        elif options.url:
            self._by_scheme = dict.fromkeys(("http", "https"), _way(options.url, options))

    def out_to(self, url: str) -> Way | None:
        """The proxy for a URL, None for a straight way."""
        parts = urlsplit(url)
        if is_excepted(parts.hostname or "", parts.port, patterns=self._except_for):
            return None
        return self._by_scheme.get(parts.scheme)


def is_excepted(host: str, port: int | None, *, patterns: tuple[str, ...]) -> bool:
    """Whether a host is reached without a proxy: `*`, a name with all below it (`.corp`, `*.corp`), an address, a net.

    A pattern may end in `:port`. The forms are those of $NO_PROXY as curl and Go take them.
    """
    host = host.rstrip(".").lower()
    for raw in patterns:
        pattern = raw.strip().lower()
        name, colon, number = pattern.rpartition(":")
        if colon and number.isdecimal() and ":" not in name.strip("[]"):
            if port != int(number):
                continue
            pattern = name
        if pattern == "*" or _matches(host, pattern.strip("[]").rstrip(".")):
            return True
    return False


def _matches(host: str, pattern: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
        return address in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        name = pattern.removeprefix("*").removeprefix(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))


def _way(text: str, options: Proxy) -> Way:
    parts = urlsplit(text if "://" in text else f"http://{text}")
    if parts.scheme.lower() not in _KINDS or not parts.hostname:
        raise UsageError("a proxy's url is http://host:port, https://host:port or socks5h://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}.get(parts.scheme.lower(), 1080)
    user = options.user if options.user is not None else unquote(parts.username) if parts.username else None
    if options.password is not None:
        password: str | None = options.password.value()
    else:
        password = unquote(parts.password) if parts.password else None
    return Way(f"{parts.scheme.lower()}://{host}:{parts.port or default}", user, password)
