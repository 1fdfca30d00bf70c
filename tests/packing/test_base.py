"""What a member is by itself."""

import pytest

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import Member


def test_a_member_gives_its_source():
    assert list(Member("a", 1, source=lambda: iter([b"x"])).pieces()) == [b"x"]
    assert list(Member("a").pieces()) == []


def test_a_problem_is_raised():
    problem = ArchiveError("not-a-file", "a link")

    with pytest.raises(ArchiveError) as caught:
        Member("a", problem=problem).pieces()

    assert caught.value is problem
