"""Small files kept in memory."""

import os
import time

import pytest

from symsrv.serve import bodies
from symsrv.serve.bodies import Bodies
from symsrv.store import open_store
from tests.made.pe_builder import build_pe


@pytest.fixture
def kept(tmp_path):
    """Keeps files of a store as the front does; `put` makes one and returns whether it is remembered."""

    class Keeping:
        def __init__(self):
            self.store = open_store(str(tmp_path / "store"), create=True, state=tmp_path / "state")
            self.bodies = Bodies(self.store.url)

        def put(self, name, data=b"x", *, raw=None):
            path = tmp_path / "store" / name
            path.write_bytes(data)
            opened = self.store._backend.open(name)
            self.bodies.keep(raw or name.encode(), opened, b"head", data, 1)
            opened.close()
            return path

    one = Keeping()
    yield one
    one.store.close()


@pytest.fixture
def settled(monkeypatch):
    """Believes files at once: nobody can set the time of change of an inode back."""
    monkeypatch.setattr(bodies, "_SETTLED_NS", -1)


def test_a_kept_body_is_dropped_when_the_file_changes(site):
    site.publish(("app.exe", build_pe()))
    path = site.root / "app.exe/0A1B2C3D3000/app.exe"
    raw = b"/app.exe/0A1B2C3D3000/app.exe"
    old = time.time() - 100
    os.utime(path, (old, old))  # and the change itself is too young to be kept, until the clock says otherwise
    site.get(raw)
    site.settle()

    first, again = site.app.at_once(raw), site.app.at_once(raw)
    path.write_bytes(b"other")
    site.get(raw)
    site.settle()
    after = site.get(raw)

    assert first == again
    assert after.body == b"other"
    path.unlink()
    assert (site.app.at_once(raw) or (404,))[0] == 404


def test_a_file_that_changed_just_now_is_not_kept(kept):
    kept.put("a")

    assert kept.bodies.get(b"a", 1) is None


@pytest.mark.usefixtures("settled")
def test_what_is_kept_is_believed_until_the_file_the_store_or_its_place_changes(kept):
    def again():
        path = kept.put("a")
        assert kept.bodies.get(b"a", 1).data == b"x"
        return path

    os.utime(again(), (1, 1))
    assert kept.bodies.get(b"a", 1) is None
    again().unlink()
    assert kept.bodies.get(b"a", 1) is None
    again()
    assert kept.bodies.get(b"a", 2) is None
    path = again()
    other = path.with_name("b")
    other.write_bytes(b"y")
    other.replace(path)
    assert kept.bodies.get(b"a", 1) is None


@pytest.mark.usefixtures("settled")
def test_what_was_not_asked_for_the_longest_time_goes_first(kept):
    kept.bodies = Bodies(kept.store.url, limit_bytes=30_000)
    kept.put("a", b"a" * 10_000)
    kept.put("b", b"b" * 10_000)
    assert kept.bodies.get(b"a", 1)

    kept.put("c", b"c" * 10_000)

    assert [bool(kept.bodies.get(raw, 1)) for raw in (b"a", b"b", b"c")] == [True, False, True]


@pytest.mark.usefixtures("settled")
def test_many_small_files_are_bounded_too(kept):
    kept.bodies = Bodies(kept.store.url, limit_bytes=20_000)

    for number in range(100):
        kept.put("a", raw=b"%d" % number)

    assert 0 < len(kept.bodies._kept) < 20
    for raw in list(kept.bodies._kept):
        kept.bodies._drop(raw)
    assert kept.bodies._bytes == 0


@pytest.mark.usefixtures("settled")
def test_a_file_larger_than_all_there_is_room_for_is_not_kept(kept):
    kept.bodies = Bodies(kept.store.url, limit_bytes=100)

    kept.put("a", b"a" * 101)

    assert kept.bodies.get(b"a", 1) is None
