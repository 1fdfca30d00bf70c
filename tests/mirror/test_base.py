"""What an upstream raises carries its word, and says whether trying again helps."""

import pytest

from symsrv.mirror.base import Absent, FetchError, Refused, Unavailable, WrongContent, unheard


@pytest.mark.parametrize("kind", [Absent, Refused, WrongContent])
def test_trying_again_helps_with_nothing_but_trouble(kind):
    error = kind("some-word", "a sentence", status=404)

    assert (error.reason, str(error), error.status, error.transient) == ("some-word", "a sentence", 404, False)
    assert isinstance(error, FetchError)
    assert Unavailable("busy", "a sentence", retry_after=3.0).transient
    assert unheard("downloading", 0) is None
