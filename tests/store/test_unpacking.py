"""Packing and unpacking stored bytes, on every kind of place."""

import pytest

from symsrv.model.errors import ArchiveError, Missing
from symsrv.store.unpacking import local_file, pack, packing_fault, stored_pieces, unpacked
from tests.crash.publishing import image


@pytest.fixture
def backend(opened, anywhere):
    return opened(anywhere)._backend


def placed(backend, path, home):
    staged = backend.stage(path)
    backend.sync()
    backend.place(staged, home)


def test_what_was_packed_is_unpacked(backend, tmp_path):
    path = image(tmp_path, "a.dll", payload=b"x" * 100_000)
    staged = backend.stage(path)
    packed = pack(backend, staged, name="a.dll")
    backend.sync()
    backend.place(packed, "a/1/a.dl_")

    assert b"".join(unpacked(backend, "a/1/a.dl_")) == path.read_bytes()
    assert packed.size < 10_000
    assert staged.local.read_bytes() == path.read_bytes()
    assert list(staged.local.parent.glob("*.cab")) == []
    backend.discard(staged)


def test_stored_bytes_are_read_as_they_are(backend, tmp_path):
    path = image(tmp_path, "a.dll")
    placed(backend, path, "a/1/a.dll")

    assert b"".join(stored_pieces(backend, "a/1/a.dll")) == path.read_bytes()
    with local_file(backend, "a/1/a.dll") as local:
        assert local.read_bytes() == path.read_bytes()


def test_what_is_not_there_is_missing(backend):
    with pytest.raises(Missing):
        list(unpacked(backend, "a/1/a.dl_"))


def test_what_is_no_archive_is_damaged(backend, tmp_path):
    placed(backend, image(tmp_path, "a.dll"), "a/1/a.dl_")

    with pytest.raises(ArchiveError):
        list(unpacked(backend, "a/1/a.dl_"))


def test_why_a_cabinet_cannot_be_unpacked(backend, tmp_path):
    staged = backend.stage(image(tmp_path, "a.dll", payload=b"x" * 100_000))
    packed = pack(backend, staged, name="a.dll")
    backend.write("a/1/a.dl_", packed.local.read_bytes())
    backend.write("b/1/b.dl_", packed.local.read_bytes()[:-9])

    assert packing_fault(backend, "a/1/a.dl_") is None
    assert packing_fault(backend, "b/1/b.dl_")
    backend.discard(packed)
    backend.discard(staged)
