"""Every form keeps the contract: told twice is asked twice the same, a bad answer raises, no secret is told."""

import json

import pytest

from symsrv.mirror.forms import FORMS, Call, News, NotTold, Reply, form_named
from symsrv.mirror.settings import TellOptions
from symsrv.model.errors import UsageError

REPORT = {
    "report": 3,
    "name": "crash.dmp",
    "data": {
        "crash_id": "de305d54-75b4-431b-adb2-eb6b9e546014",
        "event_id": "9fac2ceed9344f2bbfdd1fdacb0ed9b1",
        "issue": "12345",
    },
}


@pytest.fixture(params=FORMS, ids=[one.name for one in FORMS])
def form(request):
    return request.param


@pytest.fixture
def options(form, monkeypatch):
    monkeypatch.setenv("HOOK_TOKEN", "the token")
    url = "https://crash.example/base"
    return TellOptions(name="crashes", url=url, form=form.name, token={"env": "HOOK_TOKEN"})


def test_it_is_found_by_its_name(form):
    assert form_named(form.name) is form
    with pytest.raises(UsageError, match="there are generic, sentry, socorro"):
        form_named(f"{form.name}s")


@pytest.mark.parametrize("kind", ["report", "test"])
def test_what_is_told_twice_is_asked_twice_the_same(form, options, kind):
    asked = []

    def send(call):
        asked.append((call.method, call.url, call.body))
        return Reply(200, b'{"hits": []}')

    news = News(kind, "key-1", (REPORT,) if kind == "report" else ())
    form.tell(news, options, send)
    once = list(asked)
    form.tell(news, options, send)

    assert once
    assert asked == once * 2
    assert all(url.startswith("https://crash.example/base") for _, url, _ in asked)


@pytest.mark.parametrize("status", [301, 401, 404, 409, 500, 503])
@pytest.mark.parametrize("kind", ["report", "test"])
def test_an_answer_that_is_not_good_is_not_told(form, options, kind, status):
    news = News(kind, "key-1", (REPORT,) if kind == "report" else ())

    with pytest.raises(NotTold, match=rf"crashes answered {status}") as raised:
        form.tell(news, options, lambda call: Reply(status, retry_after=7.0))

    assert (raised.value.reason, raised.value.retry_after, raised.value.transient) == ("receiver-refused", 7.0, True)


def test_the_token_is_in_a_header_and_nowhere_else(form, options):
    def send(call: Call):
        assert "the token" not in call.url
        assert b"the token" not in call.body
        assert any("the token" in value for _, value in call.headers)
        return Reply(200, b'{"hits": []}')

    form.tell(News("report", "key-1", (REPORT,)), options, send)


def test_the_generic_body_is_the_same_each_time():
    news = News("arrived", "key-1", ({"id": 1, "name": "größe.pdb"},))

    assert news.body() == news.body()
    assert json.loads(news.body()) == {
        "type": "arrived",
        "key": "key-1",
        "events": [{"id": 1, "name": "größe.pdb"}],
    }
