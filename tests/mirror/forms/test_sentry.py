import json

import pytest

from symsrv.mirror.forms import News, NotTold, Reply
from symsrv.mirror.forms.sentry import Sentry
from symsrv.mirror.settings import TellOptions

BASE = "https://sentry.example/api/0/organizations/acme"
OPTIONS = TellOptions(name="sentry", url=f"{BASE}/", form="sentry")
EVENT = "9fac2ceed9344f2bbfdd1fdacb0ed9b1"


class Server:
    """What Sentry answers, by path."""

    def __init__(self, **replies):
        self.calls = []
        self.replies = replies

    def __call__(self, call):
        self.calls.append(call)
        return self.replies.get(call.url.removeprefix(BASE).split("/")[1], Reply(200, b"{}"))


def report(**data):
    return News("report", "key-1", ({"report": 1, "name": "crash.dmp", "data": data},))


def test_an_issue_is_processed_again():
    server = Server()

    Sentry().tell(report(issue=12345), OPTIONS, server)

    [call] = server.calls
    assert (call.method, call.url) == ("POST", f"{BASE}/issues/12345/reprocessing/")
    assert json.loads(call.body) == {"remainingEvents": "keep"}


@pytest.mark.parametrize("spelled", [EVENT, EVENT.upper(), "9fac2cee-d934-4f2b-bfdd-1fdacb0ed9b1"])
def test_the_issue_of_an_event_is_asked_for(spelled):
    server = Server(eventids=Reply(200, json.dumps({"groupId": "77", "eventId": EVENT}).encode()))

    Sentry().tell(report(event_id=spelled), OPTIONS, server)

    assert [call.url.removeprefix(BASE) for call in server.calls] == [
        f"/eventids/{EVENT}/",
        "/issues/77/reprocessing/",
    ]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(404), "knows no event"),
        (Reply(200, b"{}"), "names no issue"),
        (Reply(200, b'{"groupId": "../../users"}'), "names no issue"),
    ],
)
def test_an_event_whose_issue_is_not_told_is_tried_again(reply, why):
    server = Server(eventids=reply)

    with pytest.raises(NotTold, match=why):
        Sentry().tell(report(event_id=EVENT), OPTIONS, server)

    assert len(server.calls) == 1


@pytest.mark.parametrize("data", [{}, {"issue": "../1"}, {"event_id": "not one"}, {"crash_id": EVENT}])
def test_of_other_reports_it_is_not_told(data):
    server = Server()

    Sentry().tell(report(**data), OPTIONS, server)

    assert server.calls == []


def test_a_test_asks_for_the_organisation():
    server = Server()

    Sentry().tell(News("test", "key-1"), OPTIONS, server)

    assert [(call.method, call.url) for call in server.calls] == [("GET", f"{BASE}/")]
