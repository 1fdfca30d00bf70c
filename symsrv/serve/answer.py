"""What a request gets: a pure function from its headers and the file that was found.

On a symbol path the statuses are 200, 206, 304, 404 and 416, and nothing else: other errors make clients drop the
server for their session, or stop their chain of attempts (clients.md, traps 1 and 2). One exception, by the debuginfod
protocol: 406 to who sent an X-DEBUGINFOD-MAXSIZE that the file exceeds, which libdebuginfod turns into EFBIG.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from enum import StrEnum
from urllib.parse import quote

from symsrv.serve.asgi import Headers

# Bare: PerfView wants a type that ends in octet-stream, pdblister panics on html (trap 14).
OCTETS = b"application/octet-stream"
KEEP = b"public, max-age=31536000, immutable"

RANGE = b"range"
IF_NONE_MATCH = b"if-none-match"
IF_MODIFIED_SINCE = b"if-modified-since"
IF_RANGE = b"if-range"
MAXSIZE = b"x-debuginfod-maxsize"
ACCEPT = b"accept"
MSFZ_TYPE = b"application/msfz0"

# If-Match and If-Unmodified-Since would answer 412, which is none of the statuses above: they are not looked at.
MINDED = frozenset((RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_RANGE, MAXSIZE))

_ONE_RANGE = re.compile(rb"bytes\s*=\s*([0-9]*)\s*-\s*([0-9]*)", re.IGNORECASE)
_TAG = re.compile(rb'(?:W/)?("[^"]*")')
_HUGE = 10**18


class Reason(StrEnum):
    """Why there is no file. Tools read these words: add to them, never rename one."""

    BAD_PATH = "bad-path"
    UNKNOWN_PATH = "unknown-path"
    NOT_FOUND = "not-found"
    FETCHING = "fetching"
    RESTING = "resting"
    SKIPLIST = "skiplist"
    BLOCKED = "blocked"
    NOT_ALLOWED = "not-allowed"
    NO_SECTION = "no-section"
    EMPTY = "empty"
    CHANGED = "changed"
    DAMAGED = "damaged"
    POINTER_REFUSED = "pointer-refused"
    POINTER_BROKEN = "pointer-broken"
    HIDDEN = "hidden"
    NO_TIERS = "no-tiers"
    METHOD = "method"
    TOO_BIG = "too-big"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the bytes to be sent: a whole file, or one section at `offset` in it.

    `varies` says that a client which does not accept compressed containers is not given this.
    """

    name: str
    size: int
    modified_ns: int
    tag: str | None = None
    offset: int = 0
    debuginfod: bool = False
    varies: bool = False

    def headers(self) -> Headers:
        """The headers of every answer with a body, but for its length."""
        found = [(b"content-type", OCTETS), *self.validators(), (b"accept-ranges", b"bytes")]
        if self.debuginfod:
            found.append((b"x-debuginfod-size", b"%d" % self.size))
            found.append((b"x-debuginfod-file", quote(self.name).encode()))
        return found

    def validators(self) -> Headers:
        """The headers that a 304 repeats."""
        found = [(b"last-modified", self.modified().encode()), (b"cache-control", KEEP)]
        if self.tag is not None:
            found.append((b"etag", self.etag()))
        if self.varies:
            found.append((b"vary", ACCEPT))
        return found

    def etag(self) -> bytes:
        """The strong validator, made from the content's hash, so that all front ends agree."""
        return b'"%s"' % (self.tag or "").encode()

    def modified(self) -> str:
        """The time of change as HTTP prints it."""
        return formatdate(self.modified_seconds(), usegmt=True)

    def modified_seconds(self) -> int:
        """The time of change in whole seconds, kept to what a date can print."""
        return min(max(self.modified_ns // 1_000_000_000, 0), 253_402_300_799)


@dataclass(frozen=True, slots=True)
class File:
    """Send this: a status, headers, and `length` bytes of the opened file from `offset` (none for 304 and 416)."""

    status: int
    headers: Headers
    offset: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class Miss:
    """There is nothing to send, and why."""

    reason: Reason
    status: int = 404


Conditions = dict[bytes, bytes]


def conditions(headers: Iterable[tuple[bytes, bytes]]) -> Conditions | None:
    """The request headers that change an answer, None in the ordinary case that there is none."""
    found: Conditions | None = None
    for name, value in headers:
        if name in MINDED or (name == ACCEPT and MSFZ_TYPE in value.lower()):
            if found is None:
                found = {}
            # A list may come in several lines.
            found[name] = found[name] + b"," + value if name in found else value
    return found


def whole(facts: Facts) -> File:
    """The answer to a request without conditions."""
    headers = [*facts.headers(), (b"content-length", b"%d" % facts.size)]
    return File(200, headers, facts.offset, facts.size)


def answer(method: str, asked: Conditions | None, facts: Facts) -> File | Miss:
    """The answer for a file that was found and opened."""
    if facts.size == 0:
        return Miss(Reason.EMPTY)  # clients keep what they get for ever, and refuse nothing (trap 32)
    if asked is None:
        return whole(facts)
    if facts.debuginfod and _exceeds(asked.get(MAXSIZE), facts.size):
        return Miss(Reason.TOO_BIG, status=406)
    if _unchanged(asked, facts):
        return File(304, facts.validators())
    # RFC 9110 14.2: Range has a meaning for GET alone.
    if method != "GET" or RANGE not in asked or not _range_holds(asked.get(IF_RANGE), facts):
        return whole(facts)
    return _ranged(asked[RANGE], facts)


def _exceeds(limit: bytes | None, size: int) -> bool:
    return limit is not None and limit.isdigit() and 0 < _number(limit) < size


def _number(digits: bytes) -> int:
    return int(digits) if len(digits) <= 18 else _HUGE


def _unchanged(asked: Conditions, facts: Facts) -> bool:
    tags = asked.get(IF_NONE_MATCH)
    if tags is not None:
        if tags.strip() == b"*":
            return True
        return facts.tag is not None and facts.etag() in _TAG.findall(tags)
    since = asked.get(IF_MODIFIED_SINCE)
    if since is None:
        return False
    seconds = _date(since)
    return seconds is not None and facts.modified_seconds() <= seconds


def _date(text: bytes) -> float | None:
    try:
        return parsedate_to_datetime(text.decode("latin-1")).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _range_holds(condition: bytes | None, facts: Facts) -> bool:
    if condition is None:
        return True
    condition = condition.strip()
    if condition.startswith((b'"', b"W/")):
        return facts.tag is not None and condition == facts.etag()
    return _date(condition) == facts.modified_seconds()


def _ranged(text: bytes, facts: Facts) -> File:
    # Several ranges, other units and what cannot be read are ignored, as RFC 9110 14.2 allows.
    match = _ONE_RANGE.fullmatch(text.strip())
    if match is None or match[0].endswith(b"=-"):
        return whole(facts)
    first, last = match[1], match[2]
    size = facts.size
    if not first and not last:
        return whole(facts)
    if first:
        start = _number(first)
        end = _number(last) if last else size - 1
        if end < start and last:
            return whole(facts)
        end = min(end, size - 1)
    else:
        start, end = max(0, size - _number(last)), size - 1
    if start > end or start >= size:
        # Starlette leaves the unit out here, which symbolicator does not read (trap 15).
        return File(416, [(b"content-range", b"bytes */%d" % size), (b"content-length", b"0"), *_NOT_KEPT])
    headers = [
        *facts.headers(),
        (b"content-range", b"bytes %d-%d/%d" % (start, end, size)),
        (b"content-length", b"%d" % (end - start + 1)),
    ]
    return File(206, headers, facts.offset + start, end - start + 1)


_NOT_KEPT: Headers = [(b"cache-control", b"no-cache"), (b"accept-ranges", b"bytes")]
