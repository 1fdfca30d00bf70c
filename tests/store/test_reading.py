"""A stored file is read in pieces through its backend, within the same bounds as any other."""

import pytest

from symsrv.backends.disk import Disk
from symsrv.model.errors import Missing, NotIdentified
from symsrv.store.reading import StoredReader


def test_pieces_are_the_bytes_that_lie_there(tmp_path):
    data = bytes(range(256)) * 2048
    store = Disk(tmp_path)
    store.write("a/1/a", data)
    reader = StoredReader(store, "a/1/a")

    for offset, size in ((0, 4), (2, 10), (200_000, 70_000), (len(data) - 3, 3), (5, 0)):
        assert reader.at(offset, size) == data[offset : offset + size]


def test_the_end_the_budget_and_absence_are_told(tmp_path):
    store = Disk(tmp_path)
    store.write("a/1/a", b"abc")

    with pytest.raises(NotIdentified, match="ends at 3"):
        StoredReader(store, "a/1/a").at(1, 3)
    with pytest.raises(NotIdentified, match="more than 2 bytes"):
        StoredReader(store, "a/1/a", budget=2).at(0, 3)
    with pytest.raises(Missing):
        StoredReader(store, "a/1/b")
