"""The common log format of Apache, and the combined one of Apache and nginx, perhaps with a host before it."""

import re
from collections.abc import Sequence

from symsrv.mirror.logs.base import ABSENT, Parser, Request, clock_time, request_line

_TEXT = r'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(rf"[^\[]{{1,512}}\[([^\]]{{1,64}})\] {_TEXT} (\d{{3}}) (?:\d+|-)(?: .*)?")


class Common:
    """`host ident user [time] "request" status bytes`, whatever else comes behind it."""

    name = "common"
    absent = ABSENT
    spread = False

    def parser(self, head: Sequence[str]) -> Parser | None:
        """There is no title: the lines speak for themselves."""
        return _parsed if any(map(_parsed, head)) else None


def _parsed(line: str) -> Request | None:
    match = _LINE.fullmatch(line)
    asked = None if match is None else request_line(match[2])
    if match is None or asked is None:
        return None
    when = clock_time(match[1])
    return None if when is None else Request(*asked, int(match[3]), when)
