"""Applying makes true what a document says, and may run twice, or after it half succeeded."""

from datetime import UTC, datetime

import pytest

from symsrv.backends.disk import Disk
from symsrv.model.errors import BackendError, Missing
from symsrv.model.records import Entry, Status, Transaction
from symsrv.store import documents, places
from symsrv.store.apply import apply
from tests.crash.publishing import draft, image
from tests.store.stores import HOME, content, faults, kinds, staged_left


def snapshot(store) -> dict[str, bytes]:
    return {stat.path: store._backend.read(stat.path) for stat in store._backend.walk()}


def test_applying_again_changes_nothing(anywhere, opened, tmp_path):
    store = opened(anywhere)
    store.commit(draft(store, image(tmp_path, "a.dll"), image(tmp_path, "b.dll")))
    store.commit(draft(store, image(tmp_path, "a.dll", payload=b"other"), replace=True))
    store.commit(draft(store, image(tmp_path, "c.dll")))
    store.delete([3])
    before = snapshot(store)

    for number in (1, 2, 3, 4):
        apply(store._backend, documents.read(store._backend, number), store._freed, again=True)

    after = snapshot(store)
    if not store.removes_at_once:
        assert after == before
    # On a disk an add that is applied after its delete comes back, and goes with the delete.
    assert {name: sorted(data.split(b"\r\n")) for name, data in after.items()} == {
        name: sorted(data.split(b"\r\n")) for name, data in before.items()
    }
    assert faults(store) == []


def test_staged_bytes_that_lie_at_the_home_already_are_dropped(opened, tmp_path):
    """As after two replacements by the same bytes."""
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    staged = store.stage(tmp_path / "a.dll")
    entry = Entry(HOME, "", Status.REPLACED, staged.size, staged.sha256, handle=staged.handle)
    transaction = Transaction(2, "add", datetime.now(UTC), "", entries=(entry,))

    apply(store._backend, transaction, store._freed)

    assert staged_left(store) == []


def test_bytes_that_are_lost_are_an_error_unless_they_may_have_been_used(opened, tmp_path, caplog):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    before = content(store)
    entry = Entry(HOME, "", Status.REPLACED, 5, "0" * 64, handle="gone")
    transaction = Transaction(2, "add", datetime.now(UTC), "", entries=(entry,))

    with pytest.raises(Missing):
        apply(store._backend, transaction, store._freed)
    apply(store._backend, transaction, store._freed, again=True)

    assert content(store) == before
    assert "a replacement was made before" in caplog.text


class Windows(Disk):
    """Refuses to remove what somebody has open."""

    in_use: frozenset[str] = frozenset()

    def delete(self, path):
        if path in self.in_use:
            raise BackendError("no-access", f"{path} is in use", transient=True)
        super().delete(path)


@pytest.fixture
def windows(tmp_path, over):
    (tmp_path / "store").mkdir()
    return over(Windows(tmp_path / "store"))


def test_a_file_that_cannot_be_removed_is_doomed_and_goes_with_a_later_writer(windows, tmp_path):
    windows.commit(draft(windows, image(tmp_path, "a.dll"), image(tmp_path, "b.dll")))
    windows._backend.in_use = frozenset([HOME])

    windows.delete([1])

    assert windows.look(HOME) is not None
    assert not (tmp_path / "store" / "b.dll").exists()
    assert windows._backend.read(places.doomed(2)) == b'["a.dll/5AB380779000/a.dll"]'
    assert kinds(windows) == ["freed"]

    windows.commit(draft(windows, image(tmp_path, "c.dll")))
    assert windows.look(HOME) is not None
    windows._backend.in_use = frozenset()
    windows.commit(draft(windows, image(tmp_path, "d.dll")))

    assert not (tmp_path / "store" / "a.dll").exists()
    assert windows._backend.stat(places.doomed(2)) is None
    assert faults(windows) == []


def test_a_doomed_file_that_is_added_again_stays(windows, tmp_path):
    path = image(tmp_path, "a.dll")
    windows.commit(draft(windows, path))
    windows._backend.in_use = frozenset([HOME])
    windows.delete([1])

    again = windows.commit(draft(windows, path))
    windows._backend.in_use = frozenset()
    windows.commit(draft(windows, image(tmp_path, "c.dll")))

    assert again.entries[0].status == "present"
    assert content(windows) == path.read_bytes()
    assert windows._backend.stat(places.doomed(2)) is None
    assert faults(windows) == []


def test_a_refusal_that_will_not_pass_is_told(tmp_path, over):
    class Forbidden(Disk):
        def delete(self, path):
            if path == HOME:
                raise BackendError("no-access", "not yours")
            super().delete(path)

    (tmp_path / "store").mkdir()
    store = over(Forbidden(tmp_path / "store"))
    store.commit(draft(store, image(tmp_path, "a.dll")))

    with pytest.raises(BackendError, match="not yours"):
        store.delete([1])

    assert [one.number for one in store.history()] == [1, 2]
