"""Every published store, adopted: known at once, found by id, and emptied as symstore.exe empties one."""

import csv

import pytest

from symsrv.layouts import parse_any
from symsrv.store import open_store
from tests.golden.test_symstore_exe import unpacked

STORES = {
    "new_store": 1,
    "new_store_compressed": 1,
    "existing_store": 2,
    "longroot_store": 2,
    "pe_store": 3,
    "comment_store": 1,
    "renamed": 1,
}


def lines_of(path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line]


def listed(root, number) -> set[str]:
    return {next(csv.reader([line]))[0].replace("\\", "/") for line in lines_of(root / "000Admin" / f"{number:010d}")}


def whole(root) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {
        name: path.read_bytes() for path in files if not (name := path.relative_to(root).as_posix()).startswith(".")
    }


@pytest.fixture(params=STORES)
def adopted(request, tmp_path):
    root = unpacked(request.param, tmp_path / request.param)
    store = open_store(str(root), state=tmp_path / "state")
    yield store, root, STORES[request.param]
    store.close()


def test_history_and_holders_are_those_of_its_lists(adopted):
    store, root, count = adopted
    rows = [next(csv.reader([line])) for line in lines_of(root / "000Admin" / "history.txt")]

    found = list(store.history())

    assert [(one.number, one.foreign, one.product, one.version, one.comment) for one in found] == [
        (int(row[0]), True, *row[5:8]) for row in rows
    ]
    assert len(found) == count
    for number in range(1, count + 1):
        homes = store.index.homes_of([number])
        assert {home.rpartition("/")[0] for home in homes} == listed(root, number)
        assert all((root / home).is_file() for home in homes)
        assert set(store.index.holders(homes)) == set(homes)
    assert not (root / ".symsrv").exists()


def test_every_file_is_found_by_its_id(adopted):
    store, root, count = adopted
    store.catch_up()
    for key in {key for number in range(1, count + 1) for key in listed(root, number)}:
        for path in (f"{key}/{key.split('/')[0]}", f"{key}/{key.split('/')[0]}".lower()):
            found = store.find(parse_any(path))
            assert [file.home.rpartition("/")[0] for file in found] == [key]


def test_deleting_newest_first_leaves_what_symstore_leaves(adopted):
    store, root, count = adopted
    before = whole(root)
    history = before["000Admin/history.txt"]
    server = before["000Admin/server.txt"].splitlines(keepends=True)
    gone: set[str] = set()
    for step, number in enumerate(range(count, 0, -1), 1):
        kept = {key for other in range(1, number) for key in listed(root, other)}
        gone |= listed(root, number) - kept

        store.delete([number])

        after = whole(root)
        own = count + step
        assert after["000Admin/lastid.txt"] == b"%010d" % own
        assert after["000Admin/server.txt"] == b"".join(server[: number - 1])
        assert after["000Admin/history.txt"].startswith(history)
        dels = after["000Admin/history.txt"][len(history) :].removeprefix(b"\r\n").split(b"\r\n")
        assert dels[-1] == b"%010d,del,%010d" % (own, number)
        assert len(dels) == step
        assert f"000Admin/{own:010d}" not in after
        assert after[f"000Admin/{number:010d}.deleted"] == before[f"000Admin/{number:010d}"]
        stored = {path: data for path, data in before.items() if not path.startswith("000Admin") and "/" in path}
        assert {path: data for path, data in after.items() if not path.startswith("000Admin") and "/" in path} == {
            path: data for path, data in stored.items() if path.rpartition("/")[0] not in gone
        }
    assert sorted(path.name for path in root.iterdir()) == [".symsrv", "000Admin", "pingme.txt"]


def test_a_published_store_is_whole_and_nothing_is_to_be_repaired(run, adopted):
    store, root, _ = adopted
    store.close()
    before = whole(root)

    done = run("verify", "--store", root, "--repair")

    faults = [line for line in done.out.splitlines()[:-1] if "wrong-id" not in line]
    assert faults == []
    assert {path: data for path, data in whole(root).items() if "pingme" not in path} == {
        path: data for path, data in before.items() if "pingme" not in path
    }
