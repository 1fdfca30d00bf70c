"""Whole stores, compared file by file with those that the real symstore.exe wrote.

The published stores are in the corpus beside the repository; times, source paths and the order of a list are the
machine's own. What no published store shows (adding again, deleting) is the literal text of the real tool's stores that
were looked at commit by commit.
"""

import re
import zipfile
from pathlib import Path

import pytest

from tests.made import corpus

SAMPLES = {
    "new_store": [("dummyprod", "", ["bigage.pdb", "dummyprog.pdb"])],
    "existing_store": [("dummyprod", "", ["bigage.pdb", "dummyprog.pdb"]), ("dummylib", "", ["dummylib.pdb"])],
    "pe_store": [
        ("dummyprod", "", ["bigage.pdb", "dummyprog.pdb"]),
        ("dummylib", "", ["dummylib.pdb"]),
        ("peprods", "1.0.1", ["dummylib.dll", "dummyprog.exe"]),
    ],
}
BIGAGE = "bigage.pdb/C9A61DDDD7E44353A668E39AC614A7EAa"
PROG = "dummyprog.pdb/F6301B4562FE4B4DB691192733ECE6B71"


def unpacked(name: str, folder: Path) -> Path:
    source = corpus.FOLDER / "stores" / f"{name}.zip"
    if not source.is_file():
        pytest.skip(f"no corpus of real stores at {corpus.FOLDER}; set SYMSRV_CORPUS")
    with zipfile.ZipFile(source) as archive:
        archive.extractall(folder)
    return folder


def normal(path: str, data: bytes) -> object:
    """A file of a store without what belongs to the machine: times, source paths, the order of a list."""
    text = re.sub(rb"\d\d/\d\d/\d{4},\d\d:\d\d:\d\d", b"DATE,TIME", data)
    text = re.sub(rb'"(?:[A-Z]:\\|/)(?:[^"\\/]*[\\/])*', b'"', text)
    if path.endswith("history.txt"):  # some of these stores went through another tool, which ends the last line too
        text = text.removesuffix(b"\r\n")
    if re.search(r"/\d{10}(\.deleted)?$", path):
        return sorted(text.splitlines(keepends=True))
    return text


def contents(root: Path) -> dict[str, object]:
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {
        name: normal(name, path.read_bytes())
        if "000Admin" in name or name.endswith((".ptr", ".txt"))
        else path.read_bytes()
        for name, path in files.items()
        if not name.startswith(".symsrv/")
    }


@pytest.fixture
def real(tmp_path):
    return lambda name: unpacked(name, tmp_path / "real" / name)


def publish(run, store, root, product, version, names):
    paths = [next(root.glob(f"{name}/*/{name}")) for name in names]
    done = run("add", *paths, "--store", store, "--product", product, "--version", version)
    assert done.code == 0, done.err


def text(path: Path) -> bytes:
    return re.sub(rb"\d\d/\d\d/\d{4},\d\d:\d\d:\d\d", b"DATE,TIME", path.read_bytes())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_store_is_the_one_that_symstore_made(run, real, tmp_path, name):
    root, store = real(name), tmp_path / "store"

    for product, version, names in SAMPLES[name]:
        publish(run, store, root, product, version, names)

    assert contents(store) == contents(root)
    assert run("verify", "--store", store).code == 0


@pytest.mark.parametrize("name", SAMPLES)
def test_adding_to_a_store_of_symstore_is_as_if_it_had_added(run, real, tmp_path, name):
    """All but the last transaction are the real tool's; the last one is ours."""
    root, store = real(name), unpacked(name, tmp_path / "store")
    before = contents(store)
    product, version, names = SAMPLES[name][-1]

    publish(run, store, root, product, version, names)

    number = len(SAMPLES[name]) + 1
    after = contents(store)
    line = b'%010d,add,file,DATE,TIME,"%s","%s","",' % (number, product.encode(), version.encode())
    assert after["000Admin/lastid.txt"] == b"%010d" % number
    assert after["000Admin/history.txt"] == before["000Admin/history.txt"] + b"\r\n" + line
    assert after["000Admin/server.txt"] == before["000Admin/server.txt"] + line + b"\r\n"
    assert after[f"000Admin/{number:010d}"] == before[f"000Admin/{number - 1:010d}"]
    changed = {path for path in before if before[path] != after[path] and not path.startswith("000Admin")}
    assert {path.split("/")[0] for path in changed} == set(names)
    for path in changed:
        last = before[path].replace(b"%010d" % (number - 1), b"%010d" % number)
        assert after[path] == before[path] + b"\r\n" + last
    assert set(after) - set(before) == {f"000Admin/{number:010d}"}
    assert run("verify", "--store", store).code == 0


def test_adding_again_and_deleting_as_symstore_does(run, real, tmp_path):
    root, store = real("existing_store"), tmp_path / "store"
    admin = store / "000Admin"
    for product, version, names in (*SAMPLES["new_store"], ("again", "2", ["bigage.pdb"])):
        publish(run, store, root, product, version, names)
    first = b'0000000001,add,file,DATE,TIME,"dummyprod","","",'
    second = b'0000000002,add,file,DATE,TIME,"again","2","",'
    source = str(root / BIGAGE / "bigage.pdb").encode()
    refs = [b'%010d,file,"%s",pub,,N,,' % (number, source) for number in (1, 2)]

    assert text(admin / "server.txt") == first + b"\r\n" + second + b"\r\n"
    assert text(admin / "history.txt") == first + b"\r\n" + second
    assert (store / BIGAGE / "refs.ptr").read_bytes() == b"\r\n".join(refs)
    assert (admin / "0000000002").read_bytes() == b'"%s","%s"\r\n' % (BIGAGE.replace("/", "\\").encode(), source)

    listed = (admin / "0000000001").read_bytes()
    assert run("delete", "1", "--store", store).code == 0

    assert text(admin / "server.txt") == second + b"\r\n"
    assert text(admin / "history.txt") == first + b"\r\n" + second + b"\r\n0000000003,del,0000000001"
    assert (admin / "lastid.txt").read_bytes() == b"0000000003"
    assert not (admin / "0000000001").exists()
    assert (admin / "0000000001.deleted").read_bytes() == listed
    assert (store / BIGAGE / "refs.ptr").read_bytes() == refs[1]
    assert (store / BIGAGE / "bigage.pdb").exists()
    assert not (store / "dummyprog.pdb").exists()
    assert sorted(path.name for path in admin.iterdir()) == sorted(
        ["0000000001.deleted", "0000000002", "history.txt", "lastid.txt", "server.txt"]
    )

    assert run("delete", "2", "--store", store).code == 0

    assert (admin / "server.txt").read_bytes() == b""
    assert text(admin / "history.txt").endswith(b"\r\n0000000003,del,0000000001\r\n0000000004,del,0000000002")
    assert (admin / "lastid.txt").read_bytes() == b"0000000004"
    assert sorted(path.name for path in store.iterdir()) == [".symsrv", "000Admin", "pingme.txt"]
    assert (store / "pingme.txt").read_bytes() == b""


def test_deleting_what_symstore_added(run, real, tmp_path):
    store = real("pe_store")
    history = (store / "000Admin" / "history.txt").read_bytes()
    server = (store / "000Admin" / "server.txt").read_bytes().splitlines(keepends=True)

    assert run("delete", "1", "3", "--store", store).code == 0

    admin = store / "000Admin"
    # History ended in a line break, so none is added before the next line.
    assert (admin / "history.txt").read_bytes() == history + b"0000000004,del,0000000001\r\n0000000005,del,0000000003"
    assert (admin / "server.txt").read_bytes() == server[1]
    assert sorted(path.name for path in store.iterdir()) == [".symsrv", "000Admin", "dummylib.pdb", "pingme.txt"]
    assert run("verify", "--store", store).code == 0
