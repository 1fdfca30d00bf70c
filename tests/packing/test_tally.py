"""Bytes and members, counted."""

import pytest

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import Limits
from symsrv.packing.tally import Count, Tally


def test_a_small_archive_may_be_very_compressible():
    Tally(Limits(free_bytes=1000, ratio=2), 1).add(1000)


def test_the_ratio_counts_behind_the_free_bytes():
    tally = Tally(Limits(free_bytes=1000, ratio=2), 600)
    tally.add(1200)

    with pytest.raises(ArchiveError, match="more than 2 bytes come out for each"):
        tally.add(1)


def test_the_total_counts_whatever_the_ratio():
    with pytest.raises(ArchiveError, match="more than 10 bytes"):
        Tally(Limits(total_bytes=10), 100).add(11)


def test_members_are_counted():
    count = Count(Limits(members=1))
    count.add()

    with pytest.raises(ArchiveError, match="more than 1 members"):
        count.add()
