"""Twins in case are brought together one file at a time, and a crash between any two steps loses nothing."""

import shutil

import pytest

from symsrv.backends.disk import Disk
from symsrv.ledger.index import Index
from symsrv.store.catching_up import catch_up
from symsrv.store.merging import merges
from tests.crash.publishing import image
from tests.store.stores import add_as_symstore_does


@pytest.fixture
def root(tmp_path):
    """a.dll under two spellings of name and id, and a second id under the other one alone."""
    folder = tmp_path / "store"
    for number in (1, 4, 5):
        add_as_symstore_does(folder, image(tmp_path, "a.dll"), number=number)
    for number, key, stamp in ((2, "A.dll\\5ab380779000", 0x5AB38077), (3, "A.dll\\000000079000", 7)):
        path = image(tmp_path, "a.dll", stamp=stamp)
        add_as_symstore_does(folder, path, number=number, key=key, stored="A.dll")
    return folder


def steps(root):
    index = Index("sqlite://")
    backend = Disk(root)
    try:
        catch_up(backend, index)
        yield from merges(backend, index)
    finally:
        index.close()


def merged(root) -> dict[str, bytes]:
    for step in steps(root):
        step.do()
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_every_file_finds_its_place(root):
    after = merged(root)

    assert [path for path in sorted(after) if ".dll" in path] == [
        "a.dll/000000079000/a.dll",
        "a.dll/000000079000/refs.ptr",
        "a.dll/5AB380779000/a.dll",
        "a.dll/5AB380779000/refs.ptr",
    ]
    lines = after["a.dll/5AB380779000/refs.ptr"].split(b"\r\n")
    assert [line[9:10] for line in lines] == [b"1", b"4", b"5", b"2"]
    assert list(steps(root)) == []


@pytest.mark.parametrize("tier", ["", "a/"])
def test_the_twin_that_is_spelled_as_its_id_stays(tmp_path, tier):
    root = tmp_path / "store"
    add_as_symstore_does(root, image(tmp_path, "a.dll"))
    for number in (2, 3):
        add_as_symstore_does(root, image(tmp_path, "a.dll"), number=number, key="A.dll\\5ab380779000", stored="A.dll")
    if tier:
        (root / "index2.txt").touch()
        (root / tier).mkdir()
        for name in ("a.dll", "A.dll"):
            (root / name).rename(root / tier / name)

    assert [path for path in sorted(merged(root)) if path.endswith(".dll")] == [f"{tier}a.dll/5AB380779000/a.dll"]


def test_stopped_after_any_step_it_is_finished_by_the_next_run(root, tmp_path):
    whole = merged(shutil.copytree(root, tmp_path / "whole"))
    count = sum(1 for _ in steps(root))
    assert count >= 4

    for stop in range(count):
        folder = shutil.copytree(root, tmp_path / f"stopped-{stop}")
        running = steps(folder)
        for _ in range(stop):
            next(running).do()
        running.close()
        assert merged(folder) == whole


def test_each_step_may_be_done_twice(root, tmp_path):
    whole = merged(shutil.copytree(root, tmp_path / "whole"))

    for step in steps(root):
        step.do()
        step.do()

    assert merged(root) == whole


def test_two_of_other_bytes_among_the_twins_stay_two(root, tmp_path):
    """Only A.dll has this id, in both cases and with other bytes: the second must not cover the first."""
    for key, payload in (("A.dll/00000007a000", b"1"), ("A.dll/00000007A000", b"2")):
        place = root / key
        place.mkdir()
        (place / "A.dll").write_bytes(payload)

    after = merged(root)

    assert sorted(data for path, data in after.items() if "7a000" in path.lower()) == [b"1", b"2"]
