import pytest

from symsrv.mirror.forms import NotTold, Reply
from symsrv.mirror.forms.base import bearer
from symsrv.mirror.settings import TellOptions


def test_a_redirect_says_what_would_mend_it():
    with pytest.raises(NotTold, match="ci answered 308; give the address that it leads to"):
        Reply(308).good("ci")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"'])
def test_what_is_no_object_of_json_is_no_answer(body):
    with pytest.raises(NotTold, match="something else than JSON"):
        Reply(200, body).record("ci")


def test_a_token_is_read_when_it_is_needed(monkeypatch):
    options = TellOptions(name="ci", url="https://ci.example/", token={"env": "HOOK_TOKEN"})
    monkeypatch.setenv("HOOK_TOKEN", "first")
    before = bearer(options)
    monkeypatch.setenv("HOOK_TOKEN", "second")

    assert (before, bearer(options)) == ((("Authorization", "Bearer first"),), (("Authorization", "Bearer second"),))
    assert bearer(TellOptions(name="ci", url="https://ci.example/")) == ()
