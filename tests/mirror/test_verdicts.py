"""An answer's head means one thing for a fetch, whatever else is in it."""

import pytest

from symsrv.mirror import verdicts
from symsrv.mirror.base import Absent, Refused, Unavailable
from symsrv.mirror.settings import UpstreamOptions

OPTIONS = UpstreamOptions(name="a", url="https://symbols.example/")
FORBIDDING = UpstreamOptions(name="a", url="https://symbols.example/", forbidden_is_absent=True)
NOON = 1_700_000_000.0
NOON_AS_DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize(
    ("status", "headers", "kind", "reason"),
    [
        (404, {}, Absent, "absent"),
        (410, {}, Absent, "absent"),
        (403, {}, Refused, "forbidden"),
        (401, {}, Refused, "unauthorized"),
        (401, {"WWW-Authenticate": "Basic realm=symbols"}, Refused, "unauthorized"),
        (401, {"WWW-Authenticate": "NTLM"}, Refused, "ntlm"),
        (401, {"WWW-Authenticate": "Negotiate, NTLM"}, Refused, "ntlm"),
        (401, {"WWW-Authenticate": 'Negotiate, Basic realm="a, b"'}, Refused, "unauthorized"),
        (407, {}, Refused, "proxy-credentials"),
        (408, {}, Unavailable, "server-error"),
        (429, {}, Unavailable, "busy"),
        (500, {}, Unavailable, "server-error"),
        (503, {}, Unavailable, "busy"),
        (400, {}, Refused, "bad-answer"),
        (204, {}, Refused, "bad-answer"),
        (304, {}, Refused, "bad-answer"),
    ],
)
def test_what_a_status_means(status, headers, kind, reason):
    error = verdicts.fault(status, headers, options=OPTIONS)

    assert type(error) is kind
    assert (error.reason, error.status) == (reason, status)


def test_403_means_absent_where_the_upstream_says_so():
    assert type(verdicts.fault(403, {}, options=FORBIDDING)) is Absent


@pytest.mark.parametrize("status", [200, 203, 206])
def test_what_brings_a_file_is_no_fault(status):
    assert verdicts.fault(status, {}, options=OPTIONS) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert verdicts.retry_after(text, now=NOON) == seconds


def test_the_pause_that_a_server_asks_for_goes_along():
    error = verdicts.fault(429, {"Retry-After": "3"}, options=OPTIONS)

    assert error.retry_after == 3.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes 0-9/100", verdicts.Span(0, 10, 100)),
        ("Bytes 5-99/100", verdicts.Span(5, 100, 100)),
        ("bytes 5-4/100", None),
        ("bytes 0-100/100", None),
        ("bytes 0-9/*", None),
        ("bytes */100", None),
        ("items 0-9/100", None),
        ("bytes 0-9/" + "9" * 40, None),
        ("", None),
    ],
)
def test_only_a_range_with_a_total_is_one(text, expected):
    assert verdicts.span({"Content-Range": text}) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Content-Length": "12"}, 12),
        ({"Content-Length": "12", "Transfer-Encoding": "chunked"}, None),
        ({"Content-Length": "-1"}, None),
        ({"Content-Length": "12, 12"}, None),
        ({}, None),
    ],
)
def test_a_length_is_a_number(headers, expected):
    assert verdicts.length(headers) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"ETag": '"abc"'}, '"abc"'),
        ({"ETag": 'W/"abc"', "Last-Modified": "Mon, 13 Nov 2023 22:13:20 GMT"}, None),
        ({"ETag": "abc"}, None),
        ({"Last-Modified": "Mon, 13 Nov 2023 22:13:20 GMT"}, "Mon, 13 Nov 2023 22:13:20 GMT"),
        ({"Last-Modified": NOON_AS_DATE}, None),
        ({"Last-Modified": NOON_AS_DATE, "Date": "Tue, 14 Nov 2023 22:14:20 GMT"}, NOON_AS_DATE),
        ({"Last-Modified": "yesterday"}, None),
        ({}, None),
    ],
)
def test_only_what_proves_the_same_bytes_is_a_validator(headers, expected):
    assert verdicts.validator(headers, now=NOON) == expected


def test_a_name_comes_from_debuginfod_or_a_download_page():
    assert verdicts.name({"X-DEBUGINFOD-FILE": "/usr/lib/libc.so.6"}) == "/usr/lib/libc.so.6"
    assert verdicts.name({"Content-Disposition": 'attachment; filename="a b.pdb"'}) == "a b.pdb"
    assert verdicts.name({"Content-Disposition": "attachment; filename=a.pdb; size=3"}) == "a.pdb"
    assert verdicts.name({}) is None


@pytest.mark.parametrize(
    ("head", "page"),
    [
        (b"<!DOCTYPE html>\n<html>", True),
        (b"\xef\xbb\xbf\r\n <HTML lang=en>", True),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML">', True),
        (b"<!-- a comment --><html>", True),
        (b"<head><title>", True),
        (b"MODULE windows x86_64 ABC crash.pdb\n", False),
        (b"Microsoft C/C++ MSF 7.00", False),
        (b"<headless>", False),
        (b"", False),
    ],
)
def test_pages_for_people_are_known(head, page):
    assert verdicts.looks_like_html(head) is page
