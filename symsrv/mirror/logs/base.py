"""What a format of access logs is, and what all of them read alike: times, request lines."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Protocol

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(r"(\d{1,2})/(\w{3})/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})")
_ESCAPE = re.compile(r"\\x([0-9A-Fa-f]{2})")
ABSENT = frozenset({404})
ABSENT_OR_FORBIDDEN = frozenset({403, 404})
"""A bucket that may not be listed answers 403 for what it does not have (clients.md, trap 1)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a log: `target` as the client sent it, still percent-encoded, perhaps with a query."""

    method: str
    target: str
    status: int
    when: datetime | None = None


Parser = Callable[[str], Request | None]
"""Reads one line; None if it is none of its format."""


class AccessLog(Protocol):
    """A format of access logs, a member of ACCESS_LOGS.

    `absent` are the statuses that say that there is no such file. `spread` says that one log lies in many files, each
    named by its time.
    """

    name: str
    absent: frozenset[int]
    spread: bool

    def parser(self, head: Sequence[str]) -> Parser | None:
        """How the lines of a file are read that begins with these; None if it cannot be of this format.

        The parser is pure; it reads the first lines, too, and says None of titles.
        """


@lru_cache(256)
def clock_time(text: str) -> datetime | None:
    """`10/Oct/2000:13:55:36 -0700` as UTC, whatever this machine's language; None if it is no such time."""
    match = _CLOCK.fullmatch(text)
    if match is None or match[2].lower() not in _MONTHS:
        return None
    offset = timedelta(hours=int(match[8]), minutes=int(match[9]))
    try:
        zone = timezone(-offset if match[7] == "-" else offset)
        month = _MONTHS.index(match[2].lower()) + 1
        day = (int(match[3]), month, int(match[1]), int(match[4]), int(match[5]), min(59, int(match[6])))
        return datetime(*day, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(256)
def iso_time(text: str) -> datetime | None:
    """An ISO 8601 time as UTC, which it is in if it does not say otherwise; None if it is none."""
    try:
        found = datetime.fromisoformat(text)
        return (found.replace(tzinfo=UTC) if found.tzinfo is None else found).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def epoch_time(seconds: float) -> datetime | None:
    """Seconds since 1970 as UTC; None if that is no time."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def request_line(text: str) -> tuple[str, str] | None:
    """The method and the target of `GET /path HTTP/1.1`, with the log's own escapes undone; None if it is none."""
    method, space, rest = text.partition(" ")
    target = rest.rpartition(" HTTP/")[0] if " HTTP/" in rest else rest
    if not space or not method.isalpha() or not target:
        return None
    # nginx and Apache write what is not printable as \xHH, which says the same as %HH.
    return method, _ESCAPE.sub(r"%\1", target).replace('\\"', '"').replace("\\\\", "\\")


def status_of(text: str) -> int | None:
    """A status of three digits; None if it is none."""
    return int(text) if len(text) == 3 and text.isascii() and text.isdecimal() else None
