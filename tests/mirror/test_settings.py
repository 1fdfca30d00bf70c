"""What may be said of an upstream, and what is refused."""

import pytest
from pydantic import ValidationError

from symsrv.mirror import UPSTREAMS
from symsrv.mirror.settings import KINDS, MirrorOptions, TellOptions, UpstreamOptions


def test_a_name_and_a_url_are_enough():
    options = UpstreamOptions(name="microsoft", url="https://symbols.example/download/symbols")

    assert options.layouts == ("symstore", "ssqp")
    assert options.enabled
    assert MirrorOptions().fetch_through is False


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"url": "https:///path"}, "names no host"),
        ({"url": "https://me:secret@symbols.example/"}, "password"),
        ({"layouts": ()}, "one layout"),
        ({"layouts": ("symstor",)}, "no layout; there are symstore, ssqp"),
        ({"window": "22-6"}, "pattern"),
        ({"window": "25:00-06:00"}, "pattern"),
        ({"tries": 0}, "greater"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong, why):
    with pytest.raises(ValidationError, match=why):
        UpstreamOptions(**{"name": "a", "url": "https://symbols.example/"} | wrong)


@pytest.mark.parametrize("where", [{"url": "https://ci.example/hook"}, {"exec": ["/usr/bin/notify", "--now"]}])
def test_a_receiver_is_an_address_or_a_program(where):
    options = MirrorOptions(tell=[{"name": "ci", **where}])

    assert options.tell[0].events == ("arrived", "report")
    assert options.tell[0].form == "generic"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({}, "by url or by exec"),
        ({"url": "https://ci.example/", "exec": ["notify"]}, "by url or by exec"),
        ({"url": "ftp://ci.example/"}, "no address to post to"),
        ({"url": "https://me:secret@ci.example/"}, "password"),
        ({"exec": ["notify"], "form": "sentry"}, "one of HTTP"),
        ({"url": "https://ci.example/", "events": ["gone"]}, "arrived"),
        ({"url": "https://ci.example/", "every": 0}, "greater"),
    ],
)
def test_a_receiver_that_cannot_be_told_is_refused(wrong, why):
    with pytest.raises(ValidationError, match=why):
        TellOptions(name="ci", **wrong)


def test_two_receivers_of_one_name_are_refused():
    one = {"name": "ci", "url": "https://ci.example/"}

    with pytest.raises(ValidationError, match="two receivers are called ci"):
        MirrorOptions(tell=[one, one])


def test_what_may_be_named_as_a_kind_is_what_stands_on_the_shelf():
    assert list(KINDS) == list(UPSTREAMS)
    with pytest.raises(ValidationError, match="'ftp' is no kind of upstream; there are http, bucket, folder, convert"):
        UpstreamOptions(name="a", kind="ftp")
