"""Addresses: which of them symsrv connects to on somebody else's word, and connecting to exactly those.

A name is resolved once, what it resolved to is looked at, and that is what is connected to: a second answer of the DNS
(rebinding) has nobody who asks for it. What the administrator named is not looked at.
"""

import ipaddress
import socket
import time
from collections.abc import Sequence
from typing import Any

from symsrv.mirror.base import Refused, Unavailable

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Found = tuple[socket.AddressFamily, Any]


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet, together with any IPv4 address that it has inside."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inside(address)
        if inner is not None and (not is_public(str(inner)) or address.ipv4_mapped is not None or address in _NAT64):
            return is_public(
                str(inner)
            )  # of the latter two nothing else is looked at: Python calls all of them reserved
        if address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_loopback or address.is_unspecified
    )


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


class Guard:
    """What one upstream may connect to: public addresses, and its own host whatever its address is.

    `everything` is for who has said so (`private_addresses`), and for ways to a proxy, which the administrator named.
    """

    def __init__(self, named: str | None, *, everything: bool = False) -> None:
        self._named = _normal(named or "")
        self._everything = everything

    def allows(self, host: str) -> bool:
        """Whether every address of a host will do."""
        return self._everything or (bool(self._named) and _normal(host) == self._named)

    def look_at(self, host: str) -> None:
        """Refuses a host that is private by its very spelling: all that can be told of one a proxy resolves."""
        if self.allows(host):
            return
        spelled = _literal(host)
        if spelled is not None and not is_public(spelled):
            raise _private(host, (spelled,))
        if _normal(host) in _LOCAL_NAMES or _normal(host).endswith(".localhost"):
            raise _private(host, ())

    def addresses(self, host: str, port: int) -> list[Found]:
        """The addresses of a host that may be connected to; raises Refused if there is none, or Unavailable."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unavailable("no-such-host", f"the name {host} cannot be resolved: {_why(error)}") from None
        every: list[Found] = [(family, address) for family, _, _, _, address in found]
        if self.allows(host):
            return every
        allowed = [one for one in every if is_public(one[1][0])]
        if not allowed:
            raise _private(host, [one[1][0] for one in every])
        return allowed

    def connect(self, host: str, port: int, *, seconds: float | None, options: Sequence[Any] = ()) -> socket.socket:
        """A socket to the first address that answers; each gets its share of the time that is left."""
        found = self.addresses(host, port)
        end = None if seconds is None else time.monotonic() + seconds
        last: OSError = OSError("it has no address")
        for number, (family, address) in enumerate(found):
            share = None if end is None else max(0.05, (end - time.monotonic()) / (len(found) - number))
            made = None
            try:
                made = socket.socket(family, socket.SOCK_STREAM)
                for option in options:
                    made.setsockopt(*option)
                made.settimeout(share)
                made.connect(address)
            except OSError as error:
                last = error
                if made is not None:
                    made.close()
            else:
                made.settimeout(seconds)
                return made
        if isinstance(last, TimeoutError):
            raise Unavailable("connect-timeout", f"{host} took no connection within {seconds:g} s") from None
        raise Unavailable("unreachable", f"{host} cannot be reached: {_why(last)}") from None


def _private(host: str, addresses: Sequence[str]) -> Refused:
    where = f" ({', '.join(addresses[:3])})" if addresses and tuple(addresses) != (host,) else ""
    return Refused(
        "private-address",
        f"{host}{where} is not on the public internet; name it in the upstream's URL, or allow private_addresses",
    )


def _literal(host: str) -> str | None:
    """The address that a host is spelled as, also in the old forms that systems take (`127.1`, `0x7f000001`)."""
    bare = _normal(host)
    try:
        return str(ipaddress.ip_address(bare.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(bare)) if bare[:1].isdecimal() else None
    except OSError:
        return None


def _normal(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
