"""Logs of one JSON object a line, by the names that nginx's examples, Caddy, Traefik and load balancers use."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from symsrv.mirror.logs.base import ABSENT, Parser, Request, clock_time, epoch_time, iso_time, request_line, status_of

_STATUS = ("status", "status_code", "response_code", "DownstreamStatus", "resp_status", "sc_status")
_TARGET = ("request_uri", "uri", "path", "url", "RequestPath", "requestUrl")
_METHOD = ("request_method", "method", "RequestMethod", "requestMethod", "verb")
_TIME = ("time_iso8601", "time_local", "msec", "ts", "time", "timestamp", "@timestamp", "StartUTC", "date")
_INSIDE = ("request", "httpRequest")  # Caddy's and Google's parts of a line


class JsonLines:
    """Whatever fields there are: a status, and a target or a whole request line."""

    name = "json"
    absent = ABSENT
    spread = False

    def parser(self, head: Sequence[str]) -> Parser | None:
        """There is no title: the lines speak for themselves."""
        return _parsed if any(map(_parsed, head)) else None


def _parsed(line: str) -> Request | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    fields = dict(record)
    for name in _INSIDE:
        if isinstance(record.get(name), dict):
            fields |= record[name]
    status = status_of(str(_first(fields, _STATUS)))
    asked = _asked(fields)
    return None if status is None or asked is None else Request(*asked, status, _when(_first(record, _TIME)))


def _asked(fields: Mapping[str, Any]) -> tuple[str, str] | None:
    target, line = _first(fields, _TARGET), fields.get("request")
    if isinstance(target, str) and target:
        return str(_first(fields, _METHOD) or "GET"), target
    return request_line(line) if isinstance(line, str) else None


def _when(value: Any) -> datetime | None:
    if isinstance(value, str):
        number = value.replace(".", "", 1)
        return epoch_time(float(value)) if number.isdecimal() else clock_time(value) or iso_time(value)
    return epoch_time(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _first(fields: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((fields[name] for name in names if fields.get(name) is not None), None)
