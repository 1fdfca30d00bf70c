"""Socorro (Mozilla's crash-stats): crashes are put into its queue for reprocessing.

The address is `https://HOST`, the token an API token with "Reprocess Crashes" (for arrivals also whatever its search
asks for). What is called is what Mozilla's crashstats-tools and symbol-scrapers call: `POST /api/Reprocessing/` with
`crash_ids`, 50 at once; and for text symbols that arrived, `GET /api/SuperSearch/` for the crashes that have the
module in the stack of the crashing thread.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from symsrv.mirror.forms.base import ARRIVED, REPORT, TEST, Call, News, Send
from symsrv.mirror.settings import TellOptions

AT_ONCE = 50
FOUND_AT_MOST = 1000
"""Crashes of one module that are asked for: one page of its search, the newest."""

_CRASH_ID = re.compile(r"(?:bp-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_MODULE = re.compile(r"[\w.+-]{1,100}", re.ASCII)


class Socorro:
    """Reports that name a crash (`crash_id`, `uuid`, or a dump called after it), and text symbols that arrived."""

    name = "socorro"
    kinds = frozenset({ARRIVED, REPORT, TEST})

    def tell(self, news: News, options: TellOptions, send: Send) -> None:
        """Finds the crashes, and puts them into the queue."""
        base = (options.url or "").rstrip("/")
        token = () if options.token is None else (("Auth-Token", options.token.value()),)

        def search(**query: Any) -> dict[str, Any]:
            words = urlencode({"_columns": "uuid", "_facets_size": 0, **query})
            return send(Call("GET", f"{base}/api/SuperSearch/?{words}", headers=token)).record(options.name)

        if news.kind == TEST:
            search(_results_number=0)
            return
        crashes: dict[str, None] = {}
        for event in news.events:
            if news.kind == REPORT:
                crashes.update(dict.fromkeys(_crashes_of(event)))
                continue
            for module in _modules_of(event):
                hits = search(modules_in_stack=module, _sort="-date", _results_number=FOUND_AT_MOST).get("hits")
                crashes.update(dict.fromkeys(_ids(hits)))
        for some in _pieces(list(crashes)):
            headers = (("Content-Type", "application/x-www-form-urlencoded"), *token)
            body = urlencode([("crash_ids", one) for one in some]).encode()
            send(Call("POST", f"{base}/api/Reprocessing/", body, headers)).good(options.name)


def _crashes_of(report: dict[str, Any]) -> Iterator[str]:
    data = report.get("data") or {}
    for text in (data.get("crash_id"), data.get("uuid"), report.get("name")):
        found = _CRASH_ID.search(str(text or ""))
        if found:
            yield found[1].lower()
            return


def _modules_of(event: dict[str, Any]) -> Iterator[str]:
    """`module/debugid` as Socorro keeps it: the program's name, or that of the debug file where it is not known."""
    for one in event.get("identities") or ():
        name = str(one.get("code_file") or one.get("debug_file") or "")
        debug_id = str(one.get("debug_id") or "").upper()
        if one.get("role") == "sym" and _MODULE.fullmatch(name) and debug_id.isalnum():
            yield f"{name}/{debug_id}"


def _ids(hits: Any) -> Iterator[str]:
    for hit in hits if isinstance(hits, list) else ():
        if isinstance(hit, dict) and (found := _CRASH_ID.fullmatch(str(hit.get("uuid")))):
            yield found[1].lower()


def _pieces(crashes: Sequence[str]) -> Iterable[Sequence[str]]:
    return (crashes[at : at + AT_ONCE] for at in range(0, len(crashes), AT_ONCE))
