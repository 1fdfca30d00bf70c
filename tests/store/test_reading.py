"""A stored file is read in pieces through its backend, within the same bounds as any other."""

import pytest

from symsrv.backends.disk import Disk
from symsrv.model.errors import Missing, NotIdentified
from symsrv.packing import write_cab
from symsrv.store.reading import StoredReader, identities_at, identities_told
from tests.crash.publishing import image


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


def test_what_lies_there_is_told_by_its_headers_or_else_by_its_place(tmp_path):
    (tmp_path / "store").mkdir()
    store = Disk(tmp_path / "store")
    program = image(tmp_path, "a.dll").read_bytes()
    home, packed, unread = "a.dll/5AB380779000/a.dll", "b.dll/5AB380779000/b.dl_", "c.dll/5AB380779000/c.dll"
    write_cab(tmp_path / "a.dll", tmp_path / "b.dl_", name="b.dll")
    for path, data in ((home, program), (packed, (tmp_path / "b.dl_").read_bytes()), (unread, b"text"), ("d", b"")):
        store.write(path, data)

    assert [one.format for one in identities_at(store, home)] == ["pe"]
    assert [one.format for one in identities_at(store, packed)] == ["pe"]
    assert identities_at(store, unread) == identities_at(store, "e.dll/1/e.dll") == ()
    told = {path: [(one.format, one.name) for one in identities_told(store, path)] for path in (home, packed, unread)}
    assert told == {home: [("pe", "a.dll")], packed: [("unknown", "b.dll")], unread: [("unknown", "c.dll")]}
    assert identities_told(store, "d") == ()
