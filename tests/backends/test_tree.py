"""Reading a folder: what is followed, and what is not."""

import os
from pathlib import Path

import pytest

from symsrv.backends.tree import Tree
from symsrv.model.errors import BackendError, Missing

HOME = "a.pdb/1/a.pdb"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "store" / "a.pdb" / "1").mkdir(parents=True)
    (tmp_path / "store" / HOME).write_bytes(b"symbols")
    return Tree(tmp_path / "store")


def test_the_descriptor_is_the_opened_files(tree: Tree):
    opened = tree.open(HOME, 2)

    assert opened.descriptor is not None
    assert os.fstat(opened.descriptor).st_size == 7
    assert os.pread(opened.descriptor, 3, 0) == b"sym"
    opened.close()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(opened.descriptor)


def test_a_span_closes_its_descriptor(tree: Tree):
    opened = tree.open(HOME, 2, 3)

    opened.close()

    with pytest.raises(OSError, match="descriptor"):
        os.fstat(opened.descriptor or 0)


def test_symbolic_links_are_no_way_to_anything(tree: Tree, tmp_path: Path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (tree.root / "link").symlink_to(tmp_path / "outside")
    (tree.root / "file").symlink_to(tmp_path / "outside" / "secret")
    (tree.root / "a.pdb" / "2").symlink_to(tree.root / "a.pdb" / "1")

    for path in ("link/secret", "file", "a.pdb/2/a.pdb"):
        assert tree.stat(path) is None
        with pytest.raises(Missing):
            tree.open(path)
    assert [found.path for found in tree.walk()] == [HOME]
    assert list(tree.walk("link")) == []
    assert list(tree.walk("a.pdb/2")) == []


def test_the_root_may_be_a_symbolic_link(tree: Tree, tmp_path: Path):
    (tmp_path / "link").symlink_to(tree.root)

    linked = Tree(tmp_path / "link")

    assert linked.read(HOME) == b"symbols"
    assert [found.path for found in linked.walk()] == [HOME]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_is_no_file_and_does_not_hang(tree: Tree):
    os.mkfifo(tree.root / "fifo")

    assert tree.stat("fifo") is None
    with pytest.raises(Missing):
        tree.open("fifo")
    assert [found.path for found in tree.walk()] == [HOME]


def test_the_path_of_a_file_is_told(tree: Tree):
    assert tree.local(HOME) == tree.root / HOME
    assert tree.local("") == tree.root


def test_walk_can_be_left_early(tree: Tree):
    walking = tree.walk()
    next(walking)

    walking.close()


def test_walk_passes_over_what_goes_meanwhile(tree: Tree):
    for number in range(50):
        folder = tree.root / f"b{number}" / "1"
        folder.mkdir(parents=True)
        (folder / "b").write_bytes(b"")

    walking = tree.walk()
    next(walking)
    for number in range(50):
        (tree.root / f"b{number}" / "1" / "b").unlink()
        (tree.root / f"b{number}" / "1").rmdir()

    assert len(list(walking)) <= 1


def test_what_the_system_refuses_is_no_absence(tree: Tree, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "lstat", refuse)
    monkeypatch.setattr(os, "scandir", refuse)

    for read in (
        lambda: tree.stat("a"),
        lambda: tree.open("a"),
        lambda: list(tree.walk()),
        lambda: list(tree.walk("a/b")),
    ):
        with pytest.raises(BackendError) as caught:
            read()
        assert caught.value.reason == "no-access"
