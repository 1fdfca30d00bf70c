import pytest

from symsrv.mirror.forms import News, Reply
from symsrv.mirror.forms.generic import Generic, signed
from symsrv.mirror.settings import TellOptions
from symsrv.model.errors import UsageError

# The example of the standard's own specification and libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, STAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_signature_is_the_one_of_the_standard():
    headers = dict(signed(ID, BODY, secret=SECRET, now=STAMP + 0.9))

    assert headers == {"webhook-id": ID, "webhook-timestamp": str(STAMP), "webhook-signature": SIGNATURE}


def test_any_other_secret_is_taken_as_it_is():
    plain, other = (dict(signed(ID, BODY, secret=one, now=STAMP)) for one in ("plain words", "other words"))

    assert plain["webhook-signature"].startswith("v1,")
    assert plain != other


def test_a_secret_that_is_cut_is_refused():
    with pytest.raises(UsageError, match="no base64 follows"):
        signed(ID, BODY, secret="whsec_MfKQ9")


def test_without_a_secret_nothing_is_signed():
    assert "webhook-signature" not in dict(signed(ID, BODY, secret=None))


def test_the_news_are_posted_as_they_are(monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    options = TellOptions(name="ci", url="https://ci.example/hook", secret={"env": "HOOK_SECRET"})
    calls = []
    news = News("arrived", "key-1", ({"id": 1},))

    Generic().tell(news, options, lambda call: calls.append(call) or Reply(204))

    headers = dict(calls[0].headers)
    assert (calls[0].method, calls[0].url, calls[0].body) == ("POST", "https://ci.example/hook", news.body())
    assert (headers["Idempotency-Key"], headers["webhook-id"]) == ("key-1", "key-1")
    again = dict(signed("key-1", news.body(), secret=SECRET, now=float(headers["webhook-timestamp"])))
    assert headers["webhook-signature"] == again["webhook-signature"]
