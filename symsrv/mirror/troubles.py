"""Troubles: what a request that got no answer comes to. The library's own sentence is never passed on.

There may be secrets in it: a proxy's password, the query of a signed URL.
"""

import ssl

from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from symsrv.mirror.base import FetchError, Refused, Unavailable
from symsrv.mirror.settings import UpstreamOptions


def trouble(error: Exception, host: str, options: UpstreamOptions) -> FetchError:
    """What a request that got no answer comes to."""
    cause: BaseException = error
    if (said := _by_socks(error)) is not None:
        return _socks_failure(said, host)
    if isinstance(error, ProxyError):
        cause = error.original_error
        return _proxy_failure(cause, host)
    if isinstance(error, SSLError) or isinstance(cause, ssl.SSLError):
        return _tls_failure(error, host)
    if isinstance(error, ReadTimeoutError | TimeoutError):
        seconds = options.first_byte_timeout
        return Unavailable("first-byte-timeout", f"{host} had not begun to answer after {seconds:g} s")
    if isinstance(error, ConnectTimeoutError):
        if isinstance(error, NameResolutionError):
            return Unavailable("no-such-host", f"the name {host} cannot be resolved")
        if isinstance(error, NewConnectionError):
            return Unavailable("unreachable", f"{host} cannot be reached")
        return Unavailable("connect-timeout", f"{host} took no connection within {options.connect_timeout:g} s")
    if isinstance(error, NewConnectionError):
        return Unavailable("unreachable", f"{host} cannot be reached")
    if isinstance(error, ValueError):
        return Refused("bad-address", f"no request can be made of this address at {host}")
    return Unavailable("cut", f"{host} closed the connection without an answer, or answered with what is not HTTP")


def _proxy_failure(cause: BaseException, host: str) -> FetchError:
    text = str(cause)
    if "Tunnel connection failed: 407" in text:
        return Refused("proxy-credentials", "the proxy wants other credentials than ours", status=407)
    if "Tunnel connection failed: 4" in text:
        return Refused("proxy-refused", f"the proxy does not let us through to {host}")
    return Unavailable("proxy", f"there was no way through the proxy to {host}")


def _by_socks(error: Exception) -> BaseException | None:
    """What the SOCKS library said, which is wrapped twice: in an error of its own, and in one of urllib3's."""
    told = error.__cause__ or error.__context__
    if type(told).__module__ != "socks":
        return None
    inner = getattr(told, "socket_err", None)
    return inner if type(inner).__module__ == "socks" else told


def _socks_failure(said: BaseException, host: str) -> FetchError:
    if type(said).__name__ == "SOCKS5AuthError":
        return Refused("proxy-credentials", "the proxy wants other credentials than ours")
    status = str(said)[:4]
    if status == "0x02":  # RFC 1928, 6: not allowed by its rules
        return Refused("proxy-refused", f"the proxy does not let us through to {host}")
    if status in ("0x03", "0x04", "0x05", "0x06"):
        return Unavailable("unreachable", f"the proxy cannot reach {host}")
    return Unavailable("proxy", f"there was no way through the proxy to {host}")


def _tls_failure(error: Exception, host: str) -> FetchError:
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = cause.verify_message or "it does not hold"
        return Refused("certificate", f"the certificate of {host} is not trusted: {why}; see ca_bundle")
    return Unavailable("tls", f"no encrypted connection to {host} came about")
