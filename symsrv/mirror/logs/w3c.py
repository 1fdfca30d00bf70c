"""The extended format of the W3C, whose `#Fields:` name the columns: CloudFront's logs, and those of IIS."""

from collections.abc import Sequence
from urllib.parse import quote, unquote

from symsrv.mirror.logs.base import ABSENT_OR_FORBIDDEN, Parser, Request, iso_time, status_of

_TITLE = "#fields:"
_NEEDED = ("date", "time", "cs-method", "cs-uri-stem", "sc-status")
_CLOUDFRONT = "x-edge-location"


class W3c:
    """CloudFront has tabs between its columns and encodes each of them once more, IIS has spaces and decodes paths.

    CloudFront hands on the 403 of a bucket that may not be listed.
    """

    name = "w3c"
    absent = ABSENT_OR_FORBIDDEN
    spread = True

    def parser(self, head: Sequence[str]) -> Parser | None:
        """The first lines begin with a `#`; later ones that do are titles again, of the same columns."""
        title = next((line for line in head if line.lower().startswith(_TITLE)), None)
        if title is None:
            return None
        columns = title[len(_TITLE) :].lower().split()
        if any(one not in columns for one in _NEEDED):
            return None
        date, time, method, stem, status = map(columns.index, _NEEDED)
        tabs = _CLOUDFRONT in columns

        def parsed(line: str) -> Request | None:
            cells = line.split("\t" if tabs else " ")
            if line.startswith("#") or len(cells) != len(columns):
                return None
            number, when = status_of(cells[status]), iso_time(f"{cells[date]}T{cells[time]}")
            if number is None or when is None:
                return None
            # IIS writes a space as `+`, and a plus, too: the plus is what names of symbols have.
            target = unquote(cells[stem]) if tabs else quote(cells[stem], safe="/%+")
            return Request(cells[method], target, number, when)

        return parsed
