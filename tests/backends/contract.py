"""What every backend promises, one test each. A suite is a subclass that gives a `place`."""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from symsrv.backends.base import Backend, Staged, displaced_path
from symsrv.model.errors import AlreadyThere, BackendError, Missing, SourceError, StoreLocked

HOME = "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb"
Place = Callable[..., Backend]
"""Opens the one place of a test, as another process would: `place()`, `place(read_only=True)`."""


def file(folder: Path, data: bytes = b"symbols", name: str = "source.bin") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def by_handle(staged: Staged) -> Staged:
    """What a document tells of staged bytes."""
    return Staged(staged.handle, staged.size, staged.sha256, Path())


class BackendContract:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        raise NotImplementedError

    @pytest.fixture
    def backend(self, place: Place):
        backend = place()
        yield backend
        backend.close()

    def test_stat_knows_files_and_nothing_else(self, backend: Backend):
        backend.create(HOME, b"symbols")

        found = backend.stat(HOME)

        assert found is not None
        assert (found.path, found.size) == (HOME, 7)
        assert abs(found.modified_ns - time.time_ns()) < 60e9
        for absent in ("crash.pdb", "crash.pdb/1/crash.pdb", f"{HOME}/below", ""):
            assert backend.stat(absent) is None

    @pytest.mark.parametrize("path", ["a\0b/1/a", f"{'a' * 300}/1/a", "../../etc/passwd", "/etc/passwd", "a//b", "./a"])
    def test_a_path_that_cannot_be_is_no_file(self, backend: Backend, path: str):
        assert backend.stat(path) is None
        with pytest.raises(Missing):
            backend.open(path)
        with pytest.raises(Missing):
            backend.read(path)

    def test_what_is_missing_is_said_to_be(self, backend: Backend):
        backend.create(HOME, b"")

        for path in ("a/b/c", "crash.pdb", f"{HOME}/below"):
            with pytest.raises(Missing):
                backend.open(path)
            with pytest.raises(Missing):
                backend.read(path)
            with pytest.raises(Missing):
                backend.read(path, last=5)

    @pytest.mark.parametrize(
        ("start", "length"),
        [(0, None), (0, 0), (0, 7), (0, 1), (500, 100), (999_999, None), (999_999, 5), (10, 2_000_000)],
    )
    def test_open_gives_a_part(self, backend: Backend, start: int, length: int | None):
        data = os.urandom(1_000_000)
        backend.create(HOME, data)

        opened = backend.open(HOME, start, length)

        with opened.stream as stream:
            assert stream.read() == data[start : None if length is None else start + length]
        assert opened.stat.size == len(data)

    @pytest.mark.parametrize(("start", "length"), [(7, None), (7, 3), (8, None), (100, 5)])
    def test_open_past_the_end_gives_nothing(self, backend: Backend, start: int, length: int | None):
        backend.create(HOME, b"symbols")

        opened = backend.open(HOME, start, length)

        with opened.stream as stream:
            assert stream.read() == b""
        assert opened.stat.size == 7

    def test_a_stream_is_read_in_pieces(self, backend: Backend):
        data = os.urandom(300_000)
        backend.create(HOME, data)

        opened = backend.open(HOME, 1000, 250_000)

        pieces = []
        while piece := opened.stream.read(65_536):
            pieces.append(piece)
        opened.close()
        assert b"".join(pieces) == data[1000:251_000]
        assert max(map(len, pieces)) == 65_536

    @pytest.mark.parametrize("last", [0, 1, 7, 100])
    def test_read_gives_the_end(self, backend: Backend, last: int):
        backend.create(HOME, b"symbols")

        assert backend.read(HOME, last=last) == b"symbols"[max(0, 7 - last) :]

    def test_an_empty_file_is_a_file(self, backend: Backend):
        backend.write("pingme.txt", b"")

        found = backend.stat("pingme.txt")

        assert found is not None
        assert found.size == 0
        assert backend.read("pingme.txt") == backend.read("pingme.txt", last=4) == b""
        with backend.open("pingme.txt").stream as stream:
            assert stream.read() == b""

    def test_walk_tells_every_file_once(self, backend: Backend):
        paths = {"a.pdb/1/a.pdb", "a.pdb/2/a.pdb", "a.pdbx/1/a.pdbx", "pingme.txt", ".a/1/.a", ".symsrvx/1/x"}
        for path in paths | {".symsrv/transactions/1", ".symsrv/store.json"}:
            backend.create(path, path.encode())

        found = list(backend.walk())

        assert sorted(one.path for one in found) == sorted(paths)
        assert all(one.size == len(one.path) for one in found)
        assert {one.path for one in backend.walk("a.pdb")} == {"a.pdb/1/a.pdb", "a.pdb/2/a.pdb"}
        assert {one.path for one in backend.walk(".symsrv/transactions")} == {".symsrv/transactions/1"}
        assert ".symsrv/store.json" in {one.path for one in backend.walk(".symsrv")}
        assert list(backend.walk("absent/folder")) == []

    def test_names_of_every_kind_come_back(self, backend: Backend):
        paths = {
            "größe ü.pdb/1/größe ü.pdb",
            "a+b%20c&d#e.dll/1/x",
            "日本語.pdb/1/日本語.pdb",
            "~a'(1)[2]{3}=@!$,;^`.so/1/x",
        }

        for path in paths:
            backend.create(path, path.encode())

        assert {one.path for one in backend.walk()} == paths
        for path in paths:
            assert backend.read(path) == path.encode()
            assert backend.stat(path) is not None

    def test_staged_bytes_are_hashed_and_hidden(self, backend: Backend, tmp_path: Path):
        data = os.urandom(3_000_001)

        staged = backend.stage(file(tmp_path, data))

        assert staged.size == len(data)
        assert staged.sha256 == hashlib.sha256(data).hexdigest()
        assert staged.local.read_bytes() == data
        assert list(backend.walk()) == []

    def test_stage_says_why_it_cannot(self, backend: Backend, tmp_path: Path):
        for source, reason in ((tmp_path / "absent", "vanished"), (tmp_path, "unreadable")):
            with pytest.raises(SourceError) as caught:
                backend.stage(source)
            assert caught.value.reason == reason
        assert list(backend.walk(".symsrv/incoming")) == []

    def test_a_file_of_the_callers_own_is_staged_by_its_word(self, backend: Backend, tmp_path: Path):
        source = file(tmp_path)
        sha256 = hashlib.sha256(b"symbols").hexdigest()

        staged = backend.stage(source, sha256=sha256)
        backend.place(staged, HOME)

        assert (staged.size, staged.sha256) == (7, sha256)
        assert backend.read(HOME) == source.read_bytes() == b"symbols"
        source.unlink()
        assert backend.read(HOME) == b"symbols"
        with pytest.raises(SourceError, match="not there"):
            backend.stage(source, sha256=sha256)

    def test_place_makes_visible(self, backend: Backend, tmp_path: Path):
        staged = backend.stage(file(tmp_path))

        stat = backend.place(staged, HOME)

        assert backend.read(HOME) == b"symbols"
        assert backend.stat(HOME) == stat
        assert stat.size == 7
        assert list(backend.walk(".symsrv/incoming")) == []

    def test_place_refuses_to_replace(self, backend: Backend, tmp_path: Path):
        backend.place(backend.stage(file(tmp_path, b"old")), HOME)
        staged = backend.stage(file(tmp_path, b"new"))

        with pytest.raises(AlreadyThere):
            backend.place(staged, HOME)

        assert backend.read(HOME) == b"old"
        backend.place(staged, "other/1/other")  # the refusal cost nothing
        assert backend.read("other/1/other") == b"new"

    def test_placing_again_succeeds(self, backend: Backend, tmp_path: Path):
        staged = backend.stage(file(tmp_path))
        backend.place(staged, HOME)

        stat = backend.place(by_handle(staged), HOME)

        assert stat.size == 7
        assert backend.read(HOME) == b"symbols"

    def test_staged_bytes_that_are_gone_are_missing(self, backend: Backend, tmp_path: Path):
        staged = backend.stage(file(tmp_path))
        backend.discard(staged)
        backend.create("other/1/other", b"SYMBOLS")

        for path in (HOME, "other/1/other"):
            with pytest.raises(Missing):
                backend.place(staged, path)

    @pytest.mark.parametrize("replace", [False, True])
    def test_what_was_shared_can_be_placed_by_another(self, place: Place, tmp_path: Path, replace: bool):
        first, second = place(), place()
        staged = first.stage(file(tmp_path))
        if replace:
            first.create(HOME, b"old")
        first.share(staged)
        first.close()

        second.place(by_handle(staged), HOME, replace=replace)

        assert second.read(HOME) == b"symbols"
        assert list(second.walk(".symsrv/incoming")) == []
        second.close()

    def test_replace_keeps_what_lay_there(self, backend: Backend, tmp_path: Path):
        backend.place(backend.stage(file(tmp_path, b"old")), HOME)
        staged = backend.stage(file(tmp_path, b"new"))

        for _ in range(2):  # again, as recovery would
            backend.place(by_handle(staged), HOME, replace=True)

            assert backend.read(HOME) == b"new"
            assert backend.read(displaced_path(HOME, staged.handle)) == b"old"

    def test_replace_of_nothing_is_a_place(self, backend: Backend, tmp_path: Path):
        staged = backend.stage(file(tmp_path))

        backend.place(staged, HOME, replace=True)

        assert backend.read(HOME) == b"symbols"
        assert list(backend.walk(".symsrv/displaced")) == []

    def test_discard_is_final_and_repeatable(self, backend: Backend, tmp_path: Path):
        staged = backend.stage(file(tmp_path))
        backend.share(staged)

        backend.discard(staged)
        backend.discard(staged)

        assert not staged.local.exists()
        assert list(backend.walk(".symsrv/incoming")) == []

    def test_create_refuses_to_replace(self, backend: Backend):
        backend.create(".symsrv/transactions/0000000001.jsonl", b"first")

        with pytest.raises(AlreadyThere) as caught:
            backend.create(".symsrv/transactions/0000000001.jsonl", b"second")

        assert caught.value.path == ".symsrv/transactions/0000000001.jsonl"
        assert backend.read(".symsrv/transactions/0000000001.jsonl") == b"first"

    def test_of_racing_creates_one_wins(self, place: Place):
        backends = [place() for _ in range(8)]
        for number in range(5):
            path = f".symsrv/transactions/{number}"
            start = threading.Barrier(8)

            def race(at: int, path: str = path, start: threading.Barrier = start) -> int | None:
                start.wait()
                try:
                    backends[at].create(path, bytes([at]) * 10_000)
                except AlreadyThere:
                    return None
                return at

            with ThreadPoolExecutor(8) as pool:
                winners = [at for at in pool.map(race, range(8)) if at is not None]

            assert len(winners) == 1
            assert backends[0].read(path) == bytes(winners) * 10_000
        for backend in backends:
            backend.close()

    def test_of_racing_places_one_wins(self, place: Place, tmp_path: Path):
        backends = [place() for _ in range(8)]
        staged = [
            backend.stage(file(tmp_path, bytes([at]) * 100_000, f"{at}.bin")) for at, backend in enumerate(backends)
        ]
        start = threading.Barrier(8)

        def race(at: int) -> int | None:
            start.wait()
            try:
                backends[at].place(staged[at], HOME)
            except AlreadyThere:
                return None
            return at

        with ThreadPoolExecutor(8) as pool:
            winners = [at for at in pool.map(race, range(8)) if at is not None]

        assert len(winners) == 1
        assert backends[0].read(HOME) == bytes(winners) * 100_000
        for backend in backends:
            backend.close()

    @pytest.mark.parametrize("how", ["write", "place"])
    def test_readers_see_old_or_new_and_never_a_mixture(self, place: Place, tmp_path: Path, how: str):
        writer, reader = place(), place()
        versions = [bytes([number]) * (200_000 + number) for number in range(20)]
        writer.write(HOME, versions[0])
        done = threading.Event()
        seen: list[bytes] = []

        def look() -> None:
            while not done.is_set():
                opened = reader.open(HOME)
                with opened.stream as stream:
                    data = stream.read()
                assert opened.stat.size == len(data)
                seen.append(data)

        with ThreadPoolExecutor(2) as pool:
            looking = [pool.submit(look) for _ in range(2)]
            for version in versions[1:]:
                if how == "write":
                    writer.write(HOME, version)
                else:
                    writer.place(writer.stage(file(tmp_path, version)), HOME, replace=True)
            done.set()
            for future in looking:
                future.result()
        assert seen
        assert set(seen) <= set(versions)
        writer.close()
        reader.close()

    def test_what_is_open_stays_what_it_was(self, backend: Backend, tmp_path: Path):
        backend.create(HOME, b"old" * 10_000)
        opened = backend.open(HOME)
        start = opened.stream.read(3)

        backend.place(backend.stage(file(tmp_path, b"new" * 20_000)), HOME, replace=True)

        assert start + opened.stream.read() == b"old" * 10_000
        opened.close()

    def test_write_creates_and_replaces(self, backend: Backend):
        for text in (b"0000000001", b"0000000002 longer", b""):
            backend.write("000Admin/lastid.txt", text)

            assert backend.read("000Admin/lastid.txt") == text

    def test_append_adds_or_says_that_it_cannot(self, backend: Backend):
        if not backend.shared_lock:
            with pytest.raises(BackendError):
                backend.append("000Admin/server.txt", b"line\r\n")
            return

        backend.append("000Admin/server.txt", b"one\r\n")
        backend.append("000Admin/server.txt", b"two\r\n")

        assert backend.read("000Admin/server.txt") == b"one\r\ntwo\r\n"

    def test_rename_replaces_and_can_be_done_again(self, backend: Backend):
        backend.create("000Admin/0000000001", b"new")
        backend.create("000Admin/0000000001.deleted", b"old")

        for _ in range(2):
            backend.rename("000Admin/0000000001", "000Admin/0000000001.deleted")

            assert backend.read("000Admin/0000000001.deleted") == b"new"
            assert backend.stat("000Admin/0000000001") is None
        with pytest.raises(Missing):
            backend.rename("000Admin/7", "000Admin/8")

    def test_delete_is_done_when_nothing_is_there(self, backend: Backend):
        backend.create(HOME, b"symbols")

        for _ in range(2):
            backend.delete(HOME)

            assert backend.stat(HOME) is None
        backend.delete("never/was/there")
        assert list(backend.walk()) == []

    def test_delete_leaves_neighbours(self, backend: Backend):
        backend.create("a.pdb/1/a.pdb", b"1")
        backend.create("a.pdb/2/a.pdb", b"2")

        backend.delete("a.pdb/1/a.pdb")
        backend.delete("a.pdb")  # a folder is no file

        assert [one.path for one in backend.walk()] == ["a.pdb/2/a.pdb"]

    def test_settle_and_sync_take_what_is_and_what_is_gone(self, backend: Backend):
        backend.create(HOME, b"symbols")

        backend.settle(HOME)
        backend.settle("never/was/there")
        backend.sync()
        backend.sync()

        assert backend.read(HOME) == b"symbols"

    def test_sweep_drops_what_is_old(self, backend: Backend, tmp_path: Path):
        staged = [backend.stage(file(tmp_path, bytes([number]))) for number in range(3)]
        for one in staged:
            backend.share(one)

        assert backend.sweep(older_than_seconds=3600) == 0
        assert backend.sweep(older_than_seconds=-60) == 3
        assert list(backend.walk(".symsrv/incoming")) == []
        assert backend.sweep(older_than_seconds=-60) == 0

    def test_lock_keeps_others_out_where_it_is_shared(self, place: Place):
        first, second = place(), place()

        with first.lock(timeout_seconds=5):
            if first.shared_lock:
                with pytest.raises(StoreLocked) as caught, second.lock(timeout_seconds=0.1):
                    pass
                assert str(os.getpid()) in str(caught.value)
            else:
                with second.lock(timeout_seconds=0.1):
                    pass

        with second.lock(timeout_seconds=1):
            pass
        first.close()
        second.close()

    def test_read_only_reads_and_does_nothing_else(self, place: Place, tmp_path: Path):
        writer = place()
        writer.create(HOME, b"symbols")
        staged = writer.stage(file(tmp_path))
        reader = place(read_only=True)

        assert reader.read(HOME) == b"symbols"
        assert [one.path for one in reader.walk()] == [HOME]
        for refused in (
            lambda: reader.create("a", b""),
            lambda: reader.write("a", b""),
            lambda: reader.append("a", b""),
            lambda: reader.rename(HOME, "a"),
            lambda: reader.delete(HOME),
            lambda: reader.stage(tmp_path / "source.bin"),
            lambda: reader.place(staged, "a"),
            lambda: reader.discard(staged),
            lambda: reader.sweep(older_than_seconds=0),
            lambda: reader.lock(timeout_seconds=0),
        ):
            with pytest.raises(BackendError):
                refused()
        writer.close()
        reader.close()

    def test_one_object_serves_many_threads(self, backend: Backend, tmp_path: Path):
        sources = [file(tmp_path, os.urandom(50_000), f"{number}.bin") for number in range(24)]

        def publish(source: Path) -> None:
            staged = backend.stage(source)
            backend.place(staged, f"same.pdb/{source.stem}/same.pdb")
            backend.sync()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(publish, sources))

        for source in sources:
            assert backend.read(f"same.pdb/{source.stem}/same.pdb") == source.read_bytes()
