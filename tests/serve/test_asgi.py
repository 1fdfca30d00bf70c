"""The few types of ASGI that this room speaks."""

import asyncio

import pytest

from symsrv.serve.asgi import header, lines, plain_headers, send_whole


@pytest.mark.parametrize(("head", "body"), [(False, b"body"), (True, b"")])
def test_a_small_answer_goes_out_whole_and_for_head_without_its_body(head, body):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(send_whole(send, 404, [(b"a", b"b")], b"body", head=head))

    start, rest = sent
    assert start == {"type": "http.response.start", "status": 404, "headers": [(b"a", b"b")]}
    assert rest == {"type": "http.response.body", "body": body}


def test_plain_headers_give_the_length_and_forbid_keeping():
    headers = plain_headers(b"12345", b"text/plain", (b"vary", b"accept"))

    assert dict(headers) == {
        b"content-type": b"text/plain",
        b"content-length": b"5",
        b"cache-control": b"no-cache",
        b"vary": b"accept",
    }


def test_of_a_header_that_came_twice_the_first_counts():
    headers = [(b"host", b"a"), (b"accept", b"x"), (b"host", b"b")]

    assert header(headers, b"host") == b"a"
    assert header(headers, b"cookie") == b""


def test_lines_end_with_an_empty_one():
    assert lines([(b"a", b"1"), (b"b", b"2")]) == b"a: 1\r\nb: 2\r\n\r\n"
    assert lines([]) == b"\r\n"
