"""Server access logs of S3: one line for each request to a bucket, the key apart from the request.

The places are those of Amazon's "Amazon S3 server access log format": owner, bucket, [time], address, requester,
request id, operation, key, "request", status, error code, and more.
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from symsrv.mirror.logs.base import ABSENT_OR_FORBIDDEN, Parser, Request, clock_time, status_of

_FIELDS = re.compile(
    r"\S+ \S+ \[(?P<when>[^\]]{1,64})\] \S+ \S+ \S+ (?P<operation>[A-Z]+\.[A-Z_.]+) (?P<key>\S+) "
    r'(?:"(?:[^"\\]|\\.|"(?! ))*"|-) (?P<status>\d{3}|-) .*'
)
_READS = {
    "REST.GET.OBJECT": "GET",
    "REST.HEAD.OBJECT": "HEAD",
    "WEBSITE.GET.OBJECT": "GET",
    "WEBSITE.HEAD.OBJECT": "HEAD",
}


class S3:
    """The key is the path, percent-encoded once more than the client did."""

    name = "s3"
    absent = ABSENT_OR_FORBIDDEN
    spread = True

    def parser(self, head: Sequence[str]) -> Parser | None:
        """There is no title: the lines speak for themselves."""
        return _parsed if any(map(_parsed, head)) else None


def _parsed(line: str) -> Request | None:
    match = _FIELDS.fullmatch(line)
    if match is None:
        return None
    when, status = clock_time(match["when"]), status_of(match["status"])
    if when is None:
        return None
    # What is no reading of an object is a line all the same. Amazon: "the key is URL-encoded", spaces as `+` or %2520.
    method = _READS.get(match["operation"], match["operation"])
    return Request(method, f"/{unquote(match['key'])}", status or 0, when)
