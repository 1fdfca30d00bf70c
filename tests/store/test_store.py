"""The face of a store: opening, news, reindexing, what Sentry's reader asks, and stores that cannot be written."""

import contextlib
import json
import os
import shutil
import threading
import time
import warnings
from pathlib import Path

import pytest

from symsrv.backends.disk import Disk
from symsrv.layouts import parse_any
from symsrv.model.errors import BackendError, DamagedDocument, Missing, NoStore
from symsrv.store import Draft, open_store, places
from tests.crash.publishing import draft, image
from tests.store.stores import HOME, add_as_symstore_does, content, faults


def test_a_store_that_is_not_there_is_no_store(tmp_path):
    with pytest.raises(NoStore):
        open_store(str(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_a_new_store_has_an_id_and_keeps_it(anywhere, opened):
    store = opened(anywhere)

    assert opened(anywhere).id == opened(anywhere, create=False).id == store.id
    assert json.loads(store._backend.read(places.FORMAT_FILE)) == {"format": 1, "id": store.id}


def test_a_folder_of_another_tool_keeps_the_id_it_went_by(opened, tmp_path):
    add_as_symstore_does(tmp_path / "store", image(tmp_path, "a.dll"))
    reader = opened(create=False)
    assert not (tmp_path / "store" / ".symsrv").exists()

    writer = opened(create=True)

    assert writer.id == reader.id == opened().id
    assert reader.commit(draft(reader, image(tmp_path, "b.dll"))).number == 2


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"format": 1, "id": "nonsense"}', b'{"format": 1, "id": 7}'])
def test_a_damaged_store_json_says_so(opened, tmp_path, text):
    opened()._backend.write(places.FORMAT_FILE, text)

    with pytest.raises(DamagedDocument, match=r"store\.json is damaged"):
        opened()


def test_a_copy_of_a_store_has_an_index_of_its_own(opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    store.catch_up()
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    copy = opened(tmp_path / "copy")
    assert copy.id == store.id

    store.commit(draft(store, image(tmp_path, "b.dll")))
    copy.commit(draft(copy, image(tmp_path, "a.dll")))
    assert [one.files for one in store.history()] == [1, 1]
    assert [one.files for one in copy.history()] == [1, 1]
    copy.delete([1])

    assert copy.look(HOME) is not None
    assert faults(copy) == []


def test_an_index_that_cannot_be_written_is_kept_in_memory(opened, tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    store = opened()

    store.commit(draft(store, image(tmp_path, "a.dll")))

    assert [one.number for one in store.history()] == [1]
    assert [file.home for file in store.find(parse_any(HOME))] == [HOME]


def test_files_are_opened_in_ranges_and_told_when_gone(anywhere, opened, tmp_path):
    store = opened(anywhere)
    path = image(tmp_path, "a.dll")
    store.commit(draft(store, path))
    store.catch_up()
    (file,) = store.find(parse_any(HOME))

    part = store.open(file, 4, 10)
    assert part.stream.read() == path.read_bytes()[4:14]
    part.close()
    assert store.holds_same(HOME, size=file.size, sha256=file.sha256)
    assert store.sha256(HOME) == store.sha256(HOME, afresh=True) == file.sha256
    assert [one.debug_id or one.code_id for one in store.identify(HOME)] == ["5AB380779000"]

    store._backend.delete(HOME)
    with pytest.raises(Missing):
        store.open(file)
    assert store.sha256(HOME, afresh=True) is None
    assert store.identify(HOME) == ()


def test_the_revision_moves_when_another_writer_commits(opened, tmp_path):
    reader, writer = opened(), opened(state="writer")
    before = reader.revision()
    assert reader.revision() == before

    writer.commit(draft(writer, image(tmp_path, "a.dll")))

    after = reader.revision()
    assert after != before
    assert [file.home for file in reader.index.find(parse_any(HOME))] == [HOME]
    assert reader.revision() == after
    writer.delete([1])
    assert reader.revision() != after
    assert reader.find(parse_any(HOME)) == ()


def test_the_revision_of_a_bucket_moves_within_a_second_or_so(bucket, opened, tmp_path, monkeypatch):
    monkeypatch.setattr("symsrv.store.store._BUCKET_NEWS_SECONDS", 1e-9)
    reader, writer = opened(bucket), opened(bucket, state="writer")
    before = reader.revision()
    assert reader.revision() == before

    writer.commit(draft(writer, image(tmp_path, "a.dll")))

    assert reader.revision() != before


def test_the_revision_of_a_folder_without_news_stays(opened, tmp_path):
    (tmp_path / "store").mkdir()
    store = opened(create=False)

    assert store.revision() == store.revision()


def test_reindexing_keeps_nobody_waiting(opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    under_way, go_on = threading.Event(), threading.Event()

    def progress(_count):
        under_way.set()
        go_on.wait(20)

    indexing = threading.Thread(target=store.reindex, args=(progress,))
    indexing.start()
    asking = threading.Thread(target=store.revision)
    try:
        assert under_way.wait(20)
        asking.start()
        asking.join(10)
        assert not asking.is_alive()
    finally:
        go_on.set()
        indexing.join()


def test_reindexing_finds_what_was_copied_in_and_forgets_what_went(opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    place = tmp_path / "store" / "b.dll" / "5AB380779000"
    place.mkdir(parents=True)
    shutil.copy(image(tmp_path, "b.dll"), place)
    odd = tmp_path / "store" / "c.pdb" / ("0" * 32 + "1")
    odd.mkdir(parents=True)
    (odd / "c.pdb").write_bytes(b"no pdb")
    (odd / "c.pd_").write_bytes(b"MSCF")
    before = store.revision()

    assert store.reindex() == 4
    assert store.revision() != before
    assert len(store.search("b.dll", limit=9)) == 1
    assert [file.home for file in store.search("0" * 32, limit=9)] == [
        f"c.pdb/{'0' * 32}1/c.pd_",
        f"c.pdb/{'0' * 32}1/c.pdb",
    ]

    shutil.rmtree(tmp_path / "store" / "b.dll")
    assert store.reindex() == 3
    assert store.search("b.dll", limit=9) == []


def test_reindexing_writes_in_batches(opened, tmp_path, monkeypatch):
    monkeypatch.setattr("symsrv.store.store._INDEX_BATCH", 2)
    for number in range(5):
        place = tmp_path / "store" / f"m{number}.dll" / "5AB380779000"
        place.mkdir(parents=True)
        shutil.copy(image(tmp_path, f"m{number}.dll"), place)

    store = opened(create=False)

    assert store.reindex() == 5
    assert len(store.search(".dll", limit=9)) == 5


def test_sentry_s_reader_gets_every_number_up_to_the_last(anywhere, opened, tmp_path):
    store = opened(anywhere)
    for name in ("a.dll", "b.dll"):
        store.commit(draft(store, image(tmp_path, name)))
    store.delete([1])
    if store.removes_at_once:
        store._backend.write("000Admin/lastid.txt", b"0000000006")  # two numbers whose writers died
        store.commit(draft(store, image(tmp_path, "c.dll")))
    last = 7 if store.removes_at_once else 3

    assert store.admin_file("lastid.txt") == b"%010d" % last
    lists = [store.admin_file(f"{number:010d}") for number in range(1, last + 1)]
    assert lists[:3] == [b"", b'"b.dll\\5AB380779000",""\r\n', b""]
    assert None not in lists
    for other in (f"{last + 1:010d}", "0000000000", "7", "server.txt", "0000000001.deleted", "٠٠٠٠٠٠٠٠٠١", ""):
        assert store.admin_file(other) is None


def test_reading_needs_no_right_to_write(opened, tmp_path):
    store = opened()
    store.commit(draft(store, image(tmp_path, "a.dll")))
    add_as_symstore_does(tmp_path / "bare", image(tmp_path, "a.dll"))
    folders = [tmp_path / "store", tmp_path / "bare"]
    before = _contents(folders)

    def read(tops):
        for folder in tops:
            store = open_store(str(folder), state=folder / "state")
            yield [one.number for one in store.history()]
            yield [file.home for file in store.find(parse_any(HOME))]
            yield store.reindex()
            yield store.admin_file("lastid.txt").decode()
            try:
                store.commit(Draft(()))
            except BackendError as error:
                yield error.reason
            store.close()

    warm = [shutil.copytree(folder, tmp_path / f"warm-{folder.name}") for folder in folders]
    assert list(read(warm))[4] == [1], "and everything is imported now"
    assert _without_rights(tmp_path, folders, lambda: read(folders)) == [[1], [HOME], 1, "0000000001", "no-access"] * 2
    assert _contents(folders) == before


def _contents(folders) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def _without_rights(top, folders, read) -> list:
    """What a process yields that may read these folders and write to none of them. A fork, because another
    user may not be able to read this Python."""
    if not hasattr(os, "fork"):
        pytest.skip("needs the rights of POSIX")
    modes = {path: path.stat().st_mode for folder in folders for path in (folder, *folder.rglob("*"))}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in (top, *top.parents):
        if path.stat().st_uid == os.geteuid() and path.stat().st_mode & 0o005 != 0o005:
            modes[path] = path.stat().st_mode
            path.chmod(path.stat().st_mode | 0o055)
    answer, question = os.pipe()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # other threads, which do nothing here
            child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException), open(question, "w", encoding="utf-8") as stream:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setgid(65534)
                    os.setuid(65534)
                try:
                    json.dump(list(read()), stream)
                except BaseException as error:
                    json.dump([repr(error)], stream)
            os._exit(0)
        os.close(question)
        with open(answer, encoding="utf-8") as stream:
            text = stream.read()
        os.waitpid(child, 0)
        return json.loads(text)
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def test_bytes_that_replaced_others_within_a_tick_are_not_taken_for_them(over, tmp_path):
    """Two files of one size, staged within a tick of the file system's clock."""

    tick = int(time.time())

    class Coarse(Disk):
        def stage(self, source, **told):
            staged = super().stage(source, **told)
            os.utime(staged.local, (tick, tick))
            return staged

    (tmp_path / "store").mkdir()
    store = over(Coarse(tmp_path / "store"))
    a, b = image(tmp_path / "1", "a.dll", payload=b"A"), image(tmp_path / "2", "a.dll", payload=b"B")
    store.commit(draft(store, a))
    store.commit(draft(store, b, replace=True))

    done = store.commit(draft(store, a))

    assert done.entries[0].status == "conflict"
    assert content(store) == b.read_bytes()
