"""The lines that nginx and Apache write, by their own documents."""

import pytest

from symsrv.mirror.logs.common import Common

APACHE = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'


def read(line):
    parser = Common().parser([line])
    return None if parser is None else parser(line)


def test_the_line_of_apaches_manual():
    request = read(APACHE)

    assert (request.method, request.target, request.status) == ("GET", "/apache_pb.gif", 200)
    assert request.when.isoformat() == "2000-10-10T20:55:36+00:00"


def test_a_quote_in_a_path_is_how_nginx_or_apache_write_it():
    assert read(APACHE.replace("/apache_pb.gif", "/a\\x22b")).target == "/a%22b"
    assert read(APACHE.replace("/apache_pb.gif", '/a\\"b')).target == '/a"b'


def test_a_connection_that_said_nothing_is_no_request():
    assert read('127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "-" 400 0 "-" "-"') is None
    assert read('127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "\\x16\\x03\\x01" 400 150 "-" "-"') is None


@pytest.mark.parametrize("size", [1, 64])
def test_a_hostile_line_costs_no_more_than_its_length(size):
    line = '1 - - [10/Oct/2000:13:55:36 -0700] "' + '\\"' * (size * 500)

    assert read(line) is None
