"""Lines of JSON, whoever chose the names of their fields."""

import json

import pytest

from symsrv.mirror.logs.json_lines import JsonLines


def read(record):
    line = json.dumps(record)
    parser = JsonLines().parser([line])
    return None if parser is None else parser(line)


@pytest.mark.parametrize(
    "record",
    [
        {"time_local": "04/Mar/2026:12:00:01 +0000", "request": "HEAD /a/b/c HTTP/2.0", "status": 404},
        {"msec": "1772625601.000", "request_uri": "/a/b/c", "request_method": "HEAD", "status": "404"},
        {"ts": 1772625601, "request": {"method": "HEAD", "uri": "/a/b/c"}, "status": 404},
        {"StartUTC": "2026-03-04T12:00:01Z", "RequestMethod": "HEAD", "RequestPath": "/a/b/c", "DownstreamStatus": 404},
        {
            "timestamp": "2026-03-04T12:00:01.000000Z",
            "httpRequest": {"requestMethod": "HEAD", "requestUrl": "https://host/a/b/c", "status": 404},
        },
    ],
)
def test_a_request_is_found_by_the_names_that_servers_use(record):
    request = read(record)

    assert (request.method, request.status) == ("HEAD", 404)
    assert request.target.endswith("/a/b/c")
    assert request.when.isoformat() == "2026-03-04T12:00:01+00:00"


@pytest.mark.parametrize(
    "record",
    [
        {"status": 404},
        {"uri": "/a"},
        {"uri": "/a", "status": "none"},
        {"uri": 7, "status": 404},
        {"request": [], "status": 404},
    ],
)
def test_a_line_without_a_status_or_a_path_is_none(record):
    assert read(record) is None


def test_a_time_that_is_none_leaves_the_request():
    assert read({"uri": "/a", "status": 404, "time": True}).when is None
    assert read({"uri": "/a", "status": 404}).when is None


def test_a_nest_without_end_is_no_line():
    assert JsonLines().parser(['{"a":' * 20_000]) is None
