"""Which kind an upstream is, and what is said of one that is none. The rest is the contract's."""

import pytest

from symsrv.mirror import UPSTREAMS, Surroundings, kind_of, open_upstream
from symsrv.mirror.settings import KINDS, UpstreamOptions
from symsrv.model.errors import UsageError


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://symbols.example/", "http"),
        ("HTTPS://symbols.example/", "http"),
        ("s3://bucket/sym", "bucket"),
        ("gs://bucket", "bucket"),
        ("/srv/symbols", "folder"),
        ("file:///srv/symbols", "folder"),
        ("C:\\symbols", "folder"),
        ("\\\\server\\symbols", "folder"),
    ],
)
def test_the_url_says_the_kind(url, kind):
    assert kind_of(UpstreamOptions(name="a", url=url)) == kind
    assert kind in UPSTREAMS


def test_options_know_every_kind():
    assert set(KINDS) == set(UPSTREAMS)


def test_the_options_may_name_it():
    assert kind_of(UpstreamOptions(name="a", kind="convert")) == "convert"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"url": "ftp://host/symbols"}, "no kind for ftp://; there are http, bucket"),
        ({}, "needs a url, a preset, or kind: convert"),
    ],
)
def test_another_is_a_wrong_configuration(options, why):
    with pytest.raises(UsageError, match=why):
        open_upstream(UpstreamOptions(name="a", **options))


def test_a_converter_converts_from_our_store(store, state):
    options = UpstreamOptions(name="sym", kind="convert")

    with pytest.raises(UsageError, match="needs the store"):
        open_upstream(options)
    assert open_upstream(options, Surroundings(store=lambda: store, state=lambda: state)).options is options
