"""What may be said of an upstream, and what is refused."""

import pytest
from pydantic import ValidationError

from symsrv.mirror.settings import MirrorOptions, UpstreamOptions


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
