"""From an archive to files on the disk, one after the other."""

import errno
import os
import tracemalloc
import zipfile

import pytest

from symsrv.ingest.results import FileResult
from symsrv.ingest.sources import Source
from symsrv.ingest.unpacking import Spool, spooled, unpack
from symsrv.model.errors import ArchiveError, SourceError
from symsrv.packing import Limits, Member
from tests.ingest.files import damaged, elf, pdb, pe, tarred, written, zipped


@pytest.fixture
def spool(spools):
    made = Spool()
    yield made
    made.close()
    assert list(spools.iterdir()) == []


def archive(path, data, **more) -> Source:
    return Source(written(path, data), f"out/{path.name}", **more)


def told(item) -> tuple[str, str | None]:
    return (item.path, item.reason) if isinstance(item, FileResult) else (item.label, item.name)


@pytest.mark.parametrize("made", [zipped, tarred])
def test_a_member_is_a_file_under_a_safe_name_that_remembers_where_it_was(spool, tmp_path, made):
    source = archive(tmp_path / "a.zip", made({"bin/app.exe": pe(), "bin\\app.pdb": pdb()}))

    first, second = unpack(source, spool)

    assert first.path.parent == spool.folder
    assert first.path.name.isdecimal()
    assert first.path.read_bytes() == pe()
    assert (first.label, first.name, first.depth) == ("out/a.zip!bin/app.exe", "app.exe", 1)
    assert first.recorded == f"{tmp_path / 'a.zip'}!bin/app.exe"
    assert (second.file_name, second.path.read_bytes()) == ("app.pdb", pdb())
    if os.name == "posix":
        assert spool.folder.stat().st_mode & 0o777 == 0o700


def test_what_can_be_no_debug_file_is_told_and_never_written(spool, tmp_path):
    source = archive(tmp_path / "a.zip", zipped({"readme.txt": b"no debug file", "nothing": b""}))

    assert [told(item) for item in unpack(source, spool)] == [
        ("out/a.zip!readme.txt", "unknown-format"),
        ("out/a.zip!nothing", "empty"),
    ]
    assert not spool.folder.exists()


def test_archives_in_archives_are_unpacked_one_level(spool, tmp_path):
    inner = zipped({"c.zip": zipped({"app.exe": pe()}), "app.exe": pe()})
    source = archive(tmp_path / "a.zip", zipped({"b.zip": inner}))

    (member,) = unpack(source, spool)
    deep, file = unpack(member, spool)

    assert (deep.path, deep.reason) == ("out/a.zip!b.zip!c.zip", "archive-depth")
    assert deep.failed
    assert (file.label, file.depth) == ("out/a.zip!b.zip!app.exe", 2)
    assert file.recorded == f"{tmp_path / 'a.zip'}!b.zip!app.exe"


def test_names_that_lead_out_stay_in_and_are_told(spool, tmp_path):
    source = archive(tmp_path / "a.zip", zipped({"../../up.exe": pe(), "/etc/abs.exe": pe(), "ok.exe": pe()}))

    assert [told(item) for item in unpack(source, spool)] == [
        ("out/a.zip!../../up.exe", "bad-name"),
        ("out/a.zip!/etc/abs.exe", "bad-name"),
        ("out/a.zip!ok.exe", "ok.exe"),
    ]


def test_a_damaged_member_is_told_and_the_others_come(spool, tmp_path):
    data = damaged(zipped({"bad.exe": pe(1), "good.exe": pe(2)}, method=zipfile.ZIP_STORED), pe(1))

    assert [told(item) for item in unpack(archive(tmp_path / "a.zip", data), spool)] == [
        ("out/a.zip!bad.exe", "archive-damaged"),
        ("out/a.zip!good.exe", "good.exe"),
    ]
    assert len(list(spool.folder.iterdir())) == 1


def test_what_ends_an_archive_is_a_result_of_its_own(spool, tmp_path):
    whole = tarred({"one.exe": pe(1), "two.pdb": pdb()})

    items = list(unpack(archive(tmp_path / "a.tar", whole[: len(pe(1)) + 2000]), spool))

    assert told(items[0]) == ("out/a.tar!one.exe", "one.exe")
    assert told(items[-1]) == ("out/a.tar", "archive-damaged")


def test_limits_end_an_archive(spool, tmp_path):
    source = archive(tmp_path / "a.tar", tarred({f"{n}.exe": pe(n) for n in range(1, 6)}))

    items = list(unpack(source, spool, limits=Limits(members=2)))

    assert told(items[-1]) == ("out/a.tar", "archive-limit")
    assert told(items[1]) == ("out/a.tar!2.exe", "2.exe")


def test_an_archive_of_nothing_and_one_that_went_away(spool, tmp_path):
    (empty,) = unpack(archive(tmp_path / "a.zip", zipped({})), spool)
    (gone,) = unpack(Source(tmp_path / "gone.zip", "gone.zip"), spool)

    assert (empty.path, empty.reason, empty.failed) == ("out/a.zip", "empty", False)
    assert (gone.path, gone.reason) == ("gone.zip", "vanished")


def test_exclude_holds_inside_too(spool, tmp_path):
    members = {"obj/x/app.exe": pe(1), "app.pdb": pdb(), "app.exe": pe(2)}
    source = archive(tmp_path / "a.zip", zipped(members), exclude=("obj", "*.pdb"))

    assert [told(item) for item in unpack(source, spool)] == [("out/a.zip!app.exe", "app.exe")]


def test_an_archive_that_changes_while_it_is_read_is_told(spool, tmp_path):
    source = archive(tmp_path / "a.zip", zipped({"a.exe": pe(1), "b.exe": pe(2)}))
    items = unpack(source, spool)
    next(items)
    written(source.path, zipped({"a.exe": pe(3)}))

    with pytest.raises(SourceError, match="changed") as raised:
        list(items)

    assert raised.value.reason == "changed"


def test_a_name_that_is_no_text_is_shown_all_the_same(spool, tmp_path):
    source = spooled(Source(tmp_path / "a.zip", "a.zip"), "bin/a\udcff.exe", iter([pe()]), spool)

    assert source.label == "a.zip!bin/a\\udcff.exe"
    assert source.name == "a\udcff.exe"


def test_a_full_disk_is_told_and_leaves_nothing(spool, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)

    with pytest.raises(SourceError, match="TMPDIR") as raised:
        spool.put([b"bytes"], "a.zip!a.exe")

    assert raised.value.reason == "disk-full"
    assert list(spool.folder.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ArchiveError("archive-damaged", "its checksum is wrong")])
def test_whatever_ends_a_file_leaves_nothing(spool, error):
    def pieces():
        yield b"MZ"
        raise error

    with pytest.raises(type(error)):
        spool.put(pieces(), "a.zip!a.exe")

    assert list(spool.folder.iterdir()) == []


def test_memory_does_not_grow_with_a_member(spool, tmp_path, monkeypatch):
    piece = bytes(1 << 20)

    def huge(_path, _limits):
        yield Member("huge.so", source=lambda: iter([elf(), *[piece] * 300]))

    monkeypatch.setattr("symsrv.ingest.unpacking.members", huge)
    tracemalloc.start()
    (source,) = unpack(archive(tmp_path / "a.zip", b"PK"), spool)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert source.path.stat().st_size > 300 << 20
    assert peak < 4 << 20
