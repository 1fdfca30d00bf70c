import pytest

from symsrv.mirror.forms import Call, NotTold
from symsrv.mirror.posting import REPLY_BYTES, Poster
from symsrv.mirror.settings import TellOptions
from symsrv.model.errors import UsageError


@pytest.fixture
def post(receiver):
    """Posts to a receiver that answers so; what it was asked, and what came back."""
    posters = []

    def once(answer=None, *, call=None, **options):
        url, one = receiver(answer)
        poster = Poster(TellOptions(name="ci", url=f"{url}/hook?key=very-secret", **options))
        posters.append(poster)
        reply = poster.send(call or Call("POST", f"{url}/hook?key=very-secret", b'{"a": 1}', (("X-Own", "1"),)))
        return one.asked, reply

    yield once
    for poster in posters:
        poster.close()


def test_a_call_arrives_as_it_is(post, monkeypatch):
    monkeypatch.setenv("HOOK_HEADER", "very secret")

    [asked], reply = post(headers={"X-Plain": "plain", "X-Secret": {"env": "HOOK_HEADER"}})

    assert (asked.method, asked.path, asked.body) == ("POST", "/hook?key=very-secret", b'{"a": 1}')
    assert asked.headers["X-Own"] == "1"
    assert (asked.headers["X-Plain"], asked.headers["X-Secret"]) == ("plain", "very secret")
    assert asked.headers["User-Agent"].startswith("symsrv/")
    assert (reply.status, reply.body) == (200, b"{}")


def test_a_redirect_is_an_answer_like_others(post):
    asked, reply = post(lambda asked: (302, {"Location": "http://127.0.0.1:1/"}, b""))

    assert len(asked) == 1
    assert reply.status == 302


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("86400", 3600.0), ("soon", None)])
def test_when_to_come_again_is_heard(post, said, seconds):
    _, reply = post(lambda asked: (503, {"Retry-After": said}, b""))

    assert (reply.status, reply.retry_after) == (503, seconds)


def test_more_of_an_answer_than_is_of_use_is_not_read(post):
    _, reply = post(lambda asked: (200, {}, bytes(REPLY_BYTES + (1 << 20))))

    assert REPLY_BYTES <= len(reply.body) < REPLY_BYTES + (1 << 20)


def test_who_does_not_answer_in_time_was_not_told(post):
    with pytest.raises(NotTold, match=r"ci: 127\.0\.0\.1 did not answer within 0\.3s") as raised:
        post(lambda asked: None, timeout=0.3)

    assert raised.value.reason == "receiver-unavailable"


def test_who_is_not_there_was_not_told_and_no_secret_is_in_the_reason():
    poster = Poster(TellOptions(name="ci", url="http://127.0.0.1:1/"))

    with pytest.raises(NotTold) as raised:
        poster.send(Call("POST", "http://127.0.0.1:1/hook?key=very-secret"))

    assert "could not be reached" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_file_without_certificates_is_refused(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing of the kind")

    for name in ("ca.pem", "not-there.pem"):
        with pytest.raises(UsageError, match="no certificates"):
            Poster(TellOptions(name="ci", url="https://ci.example/", ca_bundle=tmp_path / name))


def test_the_way_out_is_by_the_proxy_that_is_named(receiver):
    proxy, one = receiver(lambda asked: (200, {}, b"by proxy"))
    poster = Poster(TellOptions(name="ci", url="http://ci.example/hook", proxy={"url": proxy}))

    reply = poster.send(Call("POST", "http://ci.example/hook", b"body"))
    poster.close()

    assert reply.body == b"by proxy"
    assert one.asked[0].path == "http://ci.example/hook"
