"""Verdicts: what an HTTP answer's head means for a fetch, before any of its body is read. Pure."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from symsrv.mirror.base import Absent, FetchError, Refused, Unavailable
from symsrv.mirror.settings import UpstreamOptions

REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (404, 410)
_LATER = (408, 425, 429)
_WINDOWS_ONLY = ("ntlm", "negotiate")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,18}")
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,400}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Span:
    """What a 206 says of itself: the bytes from `start` up to but not with `end`, of `total`."""

    start: int
    end: int
    total: int


def fault(
    status: int, headers: Mapping[str, str], *, options: UpstreamOptions, now: float | None = None
) -> FetchError | None:
    """Why the answer brings no file; None for 200, 203 and 206. Redirects have been followed before."""
    if status in (200, 203, 206):
        return None
    where = f"status {status}"
    if status in _GONE or (status == 403 and options.forbidden_is_absent):
        return Absent("absent", f"it has no such file ({where})", status=status)
    if status == 401:
        return _unauthorized(headers)
    if status == 407:
        return Refused("proxy-credentials", "the proxy wants other credentials than ours", status=status)
    if status == 403:
        return Refused("forbidden", "it does not let us (status 403); see forbidden_is_absent", status=status)
    if status in _LATER or status >= 500:
        reason = "busy" if status in (429, 503) else "server-error"
        after = retry_after(headers.get("Retry-After"), now=now)
        return Unavailable(reason, f"it cannot answer now ({where})", status=status, retry_after=after)
    return Refused("bad-answer", f"it answered what nobody asked for ({where})", status=status)


def _unauthorized(headers: Mapping[str, str]) -> FetchError:
    schemes = [one.split()[0].lower() for one in headers.get("WWW-Authenticate", "").split(",") if one.split()]
    wanted = [one for one in schemes if "=" not in one]
    if wanted and all(one in _WINDOWS_ONLY for one in wanted):
        return Refused(
            "ntlm", "it wants a Windows sign-in (NTLM, Kerberos), which symsrv cannot do; ask for Basic", status=401
        )
    return Refused("unauthorized", "it wants other credentials than ours (status 401)", status=401)


def retry_after(text: str | None, *, now: float | None = None) -> float | None:
    """Seconds until the server wants to be asked again: from a number or a date; None if it does not say."""
    if not text:
        return None
    if _NUMBER.fullmatch(text.strip()):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - (time.time() if now is None else now))
    except (ValueError, TypeError, OverflowError):
        return None


def span(headers: Mapping[str, str]) -> Span | None:
    """What a 206 holds; None if it does not say so in the one form that can be used."""
    match = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if not match or any(len(part) > 18 for part in match.groups()):
        return None
    first, last, total = (int(part) for part in match.groups())
    return Span(first, last + 1, total) if first <= last < total else None


def length(headers: Mapping[str, str]) -> int | None:
    """The bytes that the body is said to have."""
    text = headers.get("Content-Length", "").strip()
    return int(text) if _NUMBER.fullmatch(text) and "Transfer-Encoding" not in headers else None


def validator(headers: Mapping[str, str], *, now: float | None = None) -> str | None:
    """What proves that a later part belongs to the same bytes (RFC 9110, 13.1.5), or None.

    A strong ETag; else a date of last change that is a minute older than the answer's own, since dates have seconds.
    """
    tag = headers.get("ETag", "").strip()
    if tag.startswith('"') and tag.endswith('"') and len(tag) > 2:
        return tag
    if tag:
        return None
    changed = headers.get("Last-Modified", "").strip()
    try:
        at = parsedate_to_datetime(changed).timestamp()
        date = headers.get("Date")
        answered = parsedate_to_datetime(date).timestamp() if date else time.time() if now is None else now
    except (ValueError, TypeError, OverflowError):
        return None
    return changed if answered - at >= 60 else None


def name(headers: Mapping[str, str]) -> str | None:
    """What the server calls the file, in the headers that debuginfod or a download page have; not checked."""
    if path := headers.get("X-DEBUGINFOD-FILE"):
        return path
    match = re.search(r'filename="?([^";]+)"?', headers.get("Content-Disposition", ""), re.IGNORECASE)
    return match[1].strip() if match else None


def looks_like_html(head: bytes) -> bool:
    """Whether the first bytes of a body are a page for people."""
    return bool(_HTML.match(head.removeprefix(b"\xef\xbb\xbf")[:HEAD_BYTES]))
