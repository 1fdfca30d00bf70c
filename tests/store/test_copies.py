"""Plain copies: made once, checked, bounded, and made again when the stored file is another."""

import hashlib
import logging
import os
import threading
from dataclasses import replace

import pytest

from symsrv.layouts import parse_any
from symsrv.model.errors import ArchiveError, Missing
from symsrv.model.records import CAB, StoredFile
from symsrv.packing import write_cab
from symsrv.store import copies as copies_module
from symsrv.store.copies import Copies, copies_folder
from tests.crash.publishing import draft, image
from tests.store.stores import HOME

PACKED = HOME[:-1] + "_"


@pytest.fixture
def packed(opened, tmp_path):
    """A store with one compressed file, and what is known of it."""
    store, path = opened(), image(tmp_path, "a.dll", payload=b"payload" * 999)
    store.commit(replace(draft(store, path), compress=True))
    store.catch_up()
    (file,) = store.find(parse_any(HOME))
    return store, file, path.read_bytes()


def copies(store, folder, **options) -> Copies:
    return Copies(store._backend, folder, **options)


def test_a_copy_is_the_plain_file_and_is_made_once(packed, tmp_path, monkeypatch):
    store, file, data = packed
    made = copies(store, tmp_path / "copies")

    first = made.get(file)
    monkeypatch.setattr(copies_module, "unpacked", None)

    assert made.get(file) == first
    assert first.path.read_bytes() == data
    assert first.sha256 == hashlib.sha256(data).hexdigest()
    assert [path.name for path in (tmp_path / "copies").iterdir()] == [first.path.name]
    assert copies(store, tmp_path / "copies").get(file) == first, "another process finds it on the disk"


def test_nothing_is_made_where_it_must_be_quick(packed, tmp_path):
    store, file, data = packed
    made = copies(store, tmp_path / "copies")

    assert made.open(file, fill=False) is None
    made.get(file)
    opened = made.open(file, fill=False)

    assert opened.stream.read() == data
    assert (opened.stat.path, opened.stat.size) == (PACKED, len(data))
    assert opened.stat.sha256 == hashlib.sha256(data).hexdigest()
    opened.close()


def test_many_threads_make_one_copy(packed, tmp_path, monkeypatch):
    store, file, _ = packed
    made, calls, inner = copies(store, tmp_path / "copies"), [], copies_module.unpacked
    monkeypatch.setattr(copies_module, "unpacked", lambda *more: calls.append(1) or inner(*more))

    threads = [threading.Thread(target=made.get, args=(file,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert calls == [1]
    assert made._filling == {}


def test_a_copy_that_was_dropped_is_made_again(packed, tmp_path):
    store, file, data = packed
    made = copies(store, tmp_path / "copies")
    made.get(file).path.unlink()

    opened = made.open(file)

    assert opened.stream.read() == data
    opened.close()


def test_another_stored_file_is_another_copy(packed, tmp_path):
    store, file, _ = packed
    made = copies(store, tmp_path / "copies")
    made.get(file)
    (tmp_path / "other").write_bytes(b"other")
    write_cab(tmp_path / "other", tmp_path / "store" / PACKED, name="a.dll")

    assert made.get(file).path.read_bytes() == b"other"


def test_the_oldest_copies_make_room(opened, tmp_path):
    store, files = opened(), []
    for name in ("a.dll", "b.dll", "c.dll"):
        store.commit(replace(draft(store, image(tmp_path, name)), compress=True))
        files += store.find(parse_any(f"{name}/5AB380779000/{name}"))
    made = copies(store, tmp_path / "copies", limit_bytes=700)
    first, second = made.get(files[0]), made.get(files[1])
    os.utime(first.path, (9, 9))
    os.utime(second.path, (1, 1))
    assert made.get(files[0]) == first  # used again

    third = made.get(files[2])

    assert [one.path.exists() for one in (first, second, third)] == [True, False, True]


def test_what_is_bigger_than_the_limit_is_made_all_the_same(packed, tmp_path):
    store, file, data = packed

    assert copies(store, tmp_path / "copies", limit_bytes=1).get(file).path.read_bytes() == data


def test_what_dead_processes_left_is_swept(packed, tmp_path):
    store, file, _ = packed
    old, young = tmp_path / "copies" / "old.part", tmp_path / "copies" / "young.part"
    old.parent.mkdir()
    for path in (old, young):
        path.touch()
    os.utime(old, (1, 1))

    copies(store, tmp_path / "copies").get(file)

    assert not old.exists()
    assert young.exists()


def test_what_is_damaged_is_told_once_and_leaves_nothing(packed, tmp_path, caplog):
    store, _, _ = packed
    target = tmp_path / "store" / PACKED
    target.write_bytes(target.read_bytes()[:-9])
    made, file = copies(store, tmp_path / "copies"), StoredFile(PACKED, 0, encoding=CAB)

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with pytest.raises(ArchiveError):
                made.get(file)

    assert len(caplog.records) == 1
    assert list((tmp_path / "copies").iterdir()) == []


def test_what_unpacks_to_other_bytes_than_were_published_is_damaged(packed, tmp_path):
    store, file, _ = packed

    for wrong in ({"plain_size": 1}, {"plain_sha256": "ab" * 32}):
        with pytest.raises(ArchiveError, match="does not hold what was published"):
            copies(store, tmp_path / "copies").get(replace(file, **wrong))


def test_what_is_gone_is_missing(packed, tmp_path):
    store, file, _ = packed
    (tmp_path / "store" / PACKED).unlink()

    with pytest.raises(Missing):
        copies(store, tmp_path / "copies").get(file)


def test_a_file_in_a_bucket_has_a_copy_here(opened, bucket, tmp_path):
    store = opened(bucket)
    path = image(tmp_path, "a.dll")
    store.commit(draft(store, path))
    store.commit(replace(draft(store, image(tmp_path, "b.dll")), compress=True))
    store.catch_up()

    for name in ("a.dll", "b.dll"):
        (file,) = store.find(parse_any(f"{name}/5AB380779000/{name}"))
        assert store.plain(file).read_bytes() == path.read_bytes()


def test_the_folder_is_a_temporary_one_where_the_state_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()

    assert copies_folder(tmp_path, "x") == tmp_path / "x.copies"
    assert copies_folder(tmp_path / "file", "x").parent != tmp_path / "file"
