"""Sentry: the issue that a report belongs to is processed again, when all of its symbols are there.

The address is `https://HOST/api/0/organizations/ORGANISATION`, the token an auth token with `org:read` and
`event:admin`. Sentry documents `eventids/` ("Resolve an Event ID"); `issues/ID/reprocessing/` is what its own page
calls and not a promise (getsentry/sentry, group_reprocessing.py). Whole issues are processed, never a single event,
and the others of an issue are kept as they are.
"""

import json
import re
from typing import Any
from urllib.parse import quote

from symsrv.mirror.forms.base import REPORT, TEST, Call, News, NotTold, Reply, Send, bearer
from symsrv.mirror.settings import TellOptions

_EVENT_ID = re.compile(r"[0-9a-f]{32}")
_ISSUE = re.compile(r"[0-9]{1,20}")
_NOT_THERE = 404


class Sentry:
    """Reports that name an issue (`issue`) or an event (`event_id`); of other reports Sentry knows nothing."""

    name = "sentry"
    kinds = frozenset({REPORT, TEST})

    def tell(self, news: News, options: TellOptions, send: Send) -> None:
        """Finds the issue, and asks that it be processed again."""
        base = (options.url or "").rstrip("/")

        def ask(method: str, path: str, body: bytes = b"") -> Reply:
            headers = (("Content-Type", "application/json"), *bearer(options))
            return send(Call(method, f"{base}/{path}", body, headers))

        if news.kind == TEST:
            ask("GET", "").good(options.name)
            return
        for event in news.events:
            data = event.get("data") or {}
            issue = _text(data, "issue", _ISSUE) or _issue_of(ask, data, options)
            if issue is not None:
                body = json.dumps({"remainingEvents": "keep"}).encode()
                ask("POST", f"issues/{issue}/reprocessing/", body).good(options.name)


def _issue_of(ask: Any, data: dict[str, Any], options: TellOptions) -> str | None:
    event_id = _text(data, "event_id", _EVENT_ID)
    if event_id is None:
        return None
    reply = ask("GET", f"eventids/{quote(event_id)}/")
    if reply.status == _NOT_THERE:  # deleted, or not yet ours to see
        raise NotTold("receiver-refused", f"{options.name} knows no event {event_id}")
    found = str(reply.record(options.name).get("groupId", ""))
    if not _ISSUE.fullmatch(found):
        raise NotTold("receiver-refused", f"{options.name} names no issue of the event {event_id}")
    return found


def _text(data: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str | None:
    """A value of a report as text, if it has the form of such an id."""
    found = str(data.get(name) or "").strip().lower()
    found = found.replace("-", "") if pattern is _EVENT_ID else found
    return found if pattern.fullmatch(found) else None
