"""Requesting: one GET of an upstream with all that goes along, through redirects, up to an answer that has a file."""

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from symsrv import __version__
from symsrv.mirror.base import FetchError, Refused, Unavailable
from symsrv.mirror.pace import Pace
from symsrv.mirror.settings import Credentials, UpstreamOptions
from symsrv.mirror.verdicts import REDIRECTS, fault
from symsrv.model.errors import UsageError
from symsrv.options import Secret

if TYPE_CHECKING:
    from symsrv.mirror.connections import Answer, Connections

REDIRECT_LIMIT = 8
_PORTS = {"http": 80, "https": 443}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\x80-\xff\t]*")


class Requester:
    """Makes the requests of one upstream; safe to share between threads. Raises UsageError for what cannot be sent."""

    def __init__(self, options: UpstreamOptions, connections: "Connections", pace: Pace, *, contact: str = "") -> None:
        self._options = options
        self._connections = connections
        self._pace = pace
        self._home = _origin(urlsplit(options.url))
        self._common = {
            "User-Agent": agent(contact),
            "Accept": "*/*",
            "Accept-Encoding": "gzip, zstd",
            "X-TFS-FedAuthRedirect": "Suppress",
        }
        own_headers(options.credentials)

    def get(self, url: str, headers: Mapping[str, str]) -> "Answer":
        """The answer that has the file: 200, 203 or 206. The caller closes it.

        Credentials, and headers that were set for this upstream, go to its own host only. Raises FetchError.
        """
        seen = {url}
        for _ in range(REDIRECT_LIMIT + 1):
            self._pace.turn()
            own = self._is_own(url)
            answer = self._connections.get(url, {**self._common, **headers, **(self._own() if own else {})}, own=own)
            if answer.status not in REDIRECTS:
                return self._judged(answer)
            target = _target(answer)
            answer.close()
            if target in seen:
                raise Refused("redirect-loop", "it redirects in a circle", status=answer.status)
            seen.add(target)
            url = target
        raise Refused("redirect-loop", f"it redirects more than {REDIRECT_LIMIT} times", status=answer.status)

    def _judged(self, answer: "Answer") -> "Answer":
        wrong = fault(answer.status, answer.headers, options=self._options)
        if wrong is None:
            return answer
        answer.drain()
        if isinstance(wrong, Unavailable) and wrong.retry_after:
            self._pace.leave_alone(wrong.retry_after)
        raise wrong

    def _is_own(self, url: str) -> bool:
        """Whether a URL is at the upstream's own host: the same port, or the encrypted one of the same name."""
        scheme, host, port = _origin(urlsplit(url))
        if (scheme, host, port) == self._home:
            return True
        return (scheme, host, port, self._home) == ("https", self._home[1], 443, ("http", host, 80))

    def _own(self) -> dict[str, str]:
        try:
            return own_headers(self._options.credentials)
        except UsageError as error:
            raise Refused("no-secret", str(error)) from None


def own_headers(credentials: Credentials) -> dict[str, str]:
    """What only the upstream's own host is sent; read anew each time, since secrets in files are changed.

    Raises UsageError, whose sentence has no secret, for one that is not there or cannot be sent.
    """
    found = {}
    if credentials.token is not None:
        found["Authorization"] = f"Bearer {credentials.token.value()}"
    elif credentials.user is not None or credentials.password is not None:
        password = credentials.password.value() if credentials.password is not None else ""
        pair = f"{credentials.user or ''}:{password}".encode()
        found["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    for name, value in credentials.headers.items():
        if not _TOKEN.fullmatch(name):
            raise UsageError(f"{name!r} cannot be the name of a header")
        found[name] = value.value() if isinstance(value, Secret) else value
    for name, text in found.items():
        if not _VALUE.fullmatch(text):
            raise UsageError(f"the value of the header {name} has a character that headers cannot have")
    return found


def agent(contact: str) -> str:
    """The User-Agent: who we are, and whom an upstream's operator can turn to."""
    who = re.sub(r"[^\x21-\x27\x2a-\x7e]+", " ", contact).strip()
    return f"symsrv/{__version__}" + (f" (+{who})" if who else "")


def _target(answer: "Answer") -> str:
    location = answer.headers.get("Location", "").strip()
    try:
        target = urljoin(answer.url, location).partition("#")[0]
        parts = urlsplit(target)
        usable = parts.scheme in _PORTS and parts.hostname and parts.username is None and (parts.port or True)
    except ValueError:
        usable = False
    if not location or not usable:
        raise _closed(answer, Refused("bad-redirect", "it redirects to nowhere", status=answer.status))
    if parts.scheme == "http" and answer.url.startswith("https:"):
        why = "it redirects from https to http, where anybody could put another file in its place"
        raise _closed(answer, Refused("insecure-redirect", why, status=answer.status))
    return target


def _closed(answer: "Answer", error: FetchError) -> FetchError:
    answer.close()
    return error


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)
