"""The answers without a file: each reason has a sentence and its header, in text and in JSON."""

import asyncio
import json

import pytest

from symsrv.serve.answer import Miss, Reason
from symsrv.serve.misses import EXPLAINED, MISSED, SENTENCES, send_miss


def sent(miss, *, accept=b"*/*", method="GET", **options):
    messages = []

    async def send(message):
        messages.append(message)

    scope = {"method": method, "headers": [(b"accept", accept)]}
    outcome = asyncio.run(send_miss(miss, scope, send, **options))
    return outcome, messages[0]["status"], dict(messages[0]["headers"]), messages[1]["body"]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_said(reason):
    _, status, headers, body = sent(Miss(reason))
    _, _, told, record = sent(Miss(reason), accept=b"text/html,application/json")

    assert (status, headers[b"x-symsrv-reason"], body.decode()) == (404, reason.encode(), f"{SENTENCES[reason]}\n")
    assert json.loads(record) == {"error": SENTENCES[reason], "reason": reason}
    assert headers[b"cache-control"] == told[b"cache-control"] == b"no-cache"


def test_more_headers_and_words():
    outcome, _, headers, body = sent(
        Miss(Reason.FETCHING), accept=b"application/json", why={"reason": "half"}, more=[(b"retry-after", b"10")]
    )

    assert outcome == ("miss", 0)
    assert headers[b"retry-after"] == b"10"
    assert json.loads(body)["why"] == {"reason": "half"}
    assert int(headers[b"content-length"]) == len(body)


def test_another_status_and_a_head_request():
    outcome, status, headers, body = sent(Miss(Reason.TOO_BIG, status=406), method="HEAD")

    assert (outcome, status, body) == (("too-big", 0), 406, b"")
    assert int(headers[b"content-length"]) > 0


def test_the_commonest_miss_stands_ready():
    _, _, headers, body = sent(Miss(Reason.NOT_FOUND))

    lines = dict(line.split(b": ", 1) for line in MISSED[0].split(b"\r\n") if line)
    assert (lines, MISSED[1]) == (headers, body)
    assert Reason.NOT_FOUND in EXPLAINED
