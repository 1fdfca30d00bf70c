"""Sweeps find what `discover` finds."""

import os
import random
from pathlib import Path

import pytest

from symsrv.ingest.sources import Filter, discover
from symsrv.ingest.watch_tree import Sweep, mark_of
from tests.ingest.files import written

symlinks = pytest.mark.skipif(os.name == "nt", reason="making links takes a right of its own on Windows")


def swept(root: Path, *, include=(), exclude=(), known=frozenset()):
    files, problems = {}, []
    sweep = Sweep(
        Filter(tuple(include), tuple(exclude)),
        known=known,
        see=files.__setitem__,
        complain=lambda path, error: problems.append((path, error.reason)),
    )
    sweep.run(str(root))
    return files, problems, sweep.still()


def found(root: Path, **options):
    sources = list(discover([f"{root}{os.sep}"], **options))
    return (
        sorted(str(one.path) for one in sources if one.problem is None),
        sorted((str(one.path), one.problem.reason) for one in sources if one.problem is not None),
    )


def agree(root: Path, **options) -> list[str]:
    files, problems, _ = swept(root, **options)
    expected, wrong = found(root, **options)
    assert sorted(files) == expected
    assert sorted(problems) == wrong
    return expected


FILTERS = [
    {},
    {"include": ("*.pdb", "sub/*")},
    {"exclude": ("*.obj", "deep")},
    {"include": ("*.pdb",), "exclude": ("sub/*.PDB",)},
]


@pytest.mark.parametrize("options", FILTERS)
def test_filters_folders_of_version_control_and_stores(tmp_path, options):
    for name in ("a.pdb", "b.obj", "sub/c.pdb", "sub/deep/d.pdb", ".git/e.pdb", "000Admin/f", "x/000Admin/g", "x/h"):
        written(tmp_path / name, name.encode())
    (tmp_path / "store" / ".symsrv").mkdir(parents=True)
    written(tmp_path / "store" / "i.pdb", b"i")

    assert agree(tmp_path, **options)


@symlinks
@pytest.mark.parametrize("options", FILTERS)
def test_links(tmp_path, options):
    root, beside = tmp_path / "root", tmp_path / "beside"
    for name in ("lib.so.1", "sub/a.pdb", "sub/deep/b.obj"):
        written(root / name, name.encode())
    for name in ("c.pdb", "more/d.pdb", "store/e.pdb", "lonely.pdb"):
        written(beside / name, name.encode())
    (beside / "store" / "000Admin").mkdir()
    (root / "lib.so").symlink_to("lib.so.1")
    (root / "again.so").symlink_to("lib.so.1")
    (root / "sub" / "loop").symlink_to("..")
    (root / "beside").symlink_to(beside)
    (root / "store").symlink_to(beside / "store")
    (root / "lonely").symlink_to(beside / "lonely.pdb")
    (root / "lonely2").symlink_to(beside / "lonely.pdb")
    (root / "nowhere.pdb").symlink_to("nowhere")
    (beside / "more" / "back").symlink_to(root / "sub" / "a.pdb")
    os.mkfifo(root / "pipe.pdb")
    (root / "pipelink").symlink_to("pipe.pdb")

    agree(root, **options)


@symlinks
def test_random_trees(tmp_path):
    chosen = random.Random(7)
    for number in range(20):
        root = tmp_path / str(number)
        folders = [root]
        for step in range(30):
            parent = chosen.choice(folders)
            path = parent / f"{chosen.choice('abcdef')}{step}"
            kind = chosen.random()
            if kind < 0.3:
                path.mkdir(parents=True)
                folders.append(path)
            elif kind < 0.7:
                written(path, bytes([step]))
            else:
                parent.mkdir(exist_ok=True)
                targets = [one for one in root.rglob("*") if not one.is_symlink()] or [root]
                path.symlink_to(chosen.choice(targets))
        agree(root)


def test_what_is_known_is_not_seen_again(tmp_path):
    one, two = written(tmp_path / "a", b"1"), written(tmp_path / "sub" / "b", b"22")
    files, _, _ = swept(tmp_path)
    known = {hash(mark) for mark in files.values()}

    assert swept(tmp_path, known=known) == ({}, [], known)
    written(two, b"333")
    files, _, still = swept(tmp_path, known=known)
    assert list(files) == [str(two)]
    assert still == {hash(mark_of(one.stat()))}


@symlinks
def test_a_linked_file_is_known_too(tmp_path):
    (tmp_path / "root").mkdir()
    target = written(tmp_path / "beside", b"1")
    (tmp_path / "root" / "link").symlink_to(target)

    assert swept(tmp_path / "root", known={hash(mark_of(target.stat()))})[0] == {}


def test_inodes_may_be_left_out(tmp_path):
    status = written(tmp_path / "a", b"1").stat()

    assert mark_of(status, inodes=False).inode == 0


def test_a_folder_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    written(tmp_path / "sub" / "a", b"")
    real = os.scandir

    def refuse(path):
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr("symsrv.ingest.watch_tree.os.scandir", refuse)

    assert swept(tmp_path)[1] == [(str(tmp_path / "sub"), "unreadable")]


def test_what_vanishes_under_our_hands_is_no_news(tmp_path):
    assert swept(tmp_path / "nowhere") == ({}, [], set())
