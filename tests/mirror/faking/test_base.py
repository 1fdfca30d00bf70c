"""Requests and replies are changed by copies, and quirks say what they do."""

from symsrv.mirror.faking import QUIRKS
from symsrv.mirror.faking.base import Got, Reply


def test_a_request_may_be_made_for_something_else():
    got = Got("GET", "/a", "a", {"range": "bytes=0-", "host": "b"}, 3)

    assert (got.at("c").path, got.at("c").number) == ("c", 3)
    assert got.without("range").headers == {"host": "b"}
    assert got.headers == {"range": "bytes=0-", "host": "b"}


def test_a_body_is_bytes_or_a_part_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    part = Reply(file=tmp_path / "a", start=2, end=5)

    assert (part.size, part.body()) == (3, b"234")
    assert (part.carrying(b"x").size, part.carrying(b"x").body()) == (1, b"x")


def test_every_quirk_says_what_it_does_in_a_sentence():
    for quirk in QUIRKS.values():
        assert quirk.help.endswith(".")
    assert len({quirk.help for quirk in QUIRKS.values()}) == len(QUIRKS)
