"""Times and request lines, as all logs write them."""

from datetime import UTC, datetime

import pytest

from symsrv.mirror.logs.base import clock_time, epoch_time, iso_time, request_line, status_of

NOON = datetime(2026, 3, 4, 12, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["04/Mar/2026:12:00:01 +0000", "4/mar/2026:14:30:01 +0230", "04/Mar/2026:05:00:01 -0700"]
)
def test_a_clock_time_is_utc(text):
    assert clock_time(text) == NOON


def test_a_leap_second_is_the_last_one():
    assert clock_time("04/Mar/2026:12:00:60 +0000") == NOON.replace(second=59)


@pytest.mark.parametrize(
    "text", ["", "04/Mrz/2026:12:00:01 +0000", "31/Feb/2026:12:00:01 +0000", "04/Mar/2026:12:00:01 +9900", "today"]
)
def test_what_is_no_clock_time_is_none(text):
    assert clock_time(text) is None


def test_an_iso_time_without_a_zone_is_utc():
    assert iso_time("2026-03-04T12:00:01") == iso_time("2026-03-04T13:00:01+01:00") == NOON
    assert iso_time("2026-03-04T12:00:01Z") == NOON
    assert iso_time("0001-01-01T00:00:00+10:00") is None
    assert iso_time("noon") is None


def test_seconds_since_1970():
    assert epoch_time(NOON.timestamp()) == NOON
    assert epoch_time(1e300) is None


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("GET /a HTTP/1.1", ("GET", "/a")),
        ("GET /a b HTTP/1.0", ("GET", "/a b")),
        ("GET /a", ("GET", "/a")),
        (r"GET /\xD0\x96%20\" HTTP/1.1", ("GET", '/%D0%96%20"')),
        ("\\x16\\x03", None),
        ("-", None),
        ("GET ", None),
    ],
)
def test_a_request_line_is_taken_apart(text, asked):
    assert request_line(text) == asked


def test_a_status_has_three_digits():
    assert [status_of(one) for one in ("404", "4", "4x4", "٤٠٤", "-")] == [404, None, None, None, None]
