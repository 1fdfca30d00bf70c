"""Usage logs of Google Cloud Storage: CSV with a title, which names the columns."""

import csv
from collections.abc import Sequence
from urllib.parse import quote

from symsrv.mirror.logs.base import ABSENT_OR_FORBIDDEN, Parser, Request, epoch_time, status_of

_NEEDED = ("time_micros", "cs_method", "sc_status", "cs_object")
_MICRO = 1_000_000


class Gcs:
    """The object's name is the path, as it is."""

    name = "gcs"
    absent = ABSENT_OR_FORBIDDEN
    spread = True

    def parser(self, head: Sequence[str]) -> Parser | None:
        """The first line is the title."""
        title = _cells(head[0]) if head else []
        if any(one not in title for one in _NEEDED):
            return None
        at, method, status, name = map(title.index, _NEEDED)

        def parsed(line: str) -> Request | None:
            cells = _cells(line)
            if len(cells) != len(title) or not cells[at].isdecimal():
                return None
            number = status_of(cells[status])
            when = epoch_time(int(cells[at]) / _MICRO)
            if number is None or when is None:
                return None
            return Request(cells[method], f"/{quote(cells[name])}", number, when)

        return parsed


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader((line,), strict=True), [])
    except csv.Error:
        return []
