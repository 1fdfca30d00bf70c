"""Stores made by symstore.exe's own command lines, compared with those that the real tool wrote.

What no published store shows (adding again, republishing, deleting) is the literal text of its stores that were looked
at commit by commit; docs/symstore.md says of each option how it is known.
"""

import re

import pytest

from tests.golden.test_symstore_exe import BIGAGE, PROG, SAMPLES, contents, text, unpacked

COUNTERS = (
    "SYMSTORE: Number of files stored = {}\nSYMSTORE: Number of errors = {}\nSYMSTORE: Number of files ignored = {}\n"
)


@pytest.fixture
def real(tmp_path):
    return lambda name: unpacked(name, tmp_path / "real" / name)


@pytest.fixture
def symstore(run, tmp_path):
    def invoke(*words):
        done = run("symstore", *words)
        assert done.code == 0, done.out
        return done.out

    return invoke


def files(root, names):
    return [word for name in names for word in ("/f", next(root.glob(f"{name}/*/{name}")))]


def line(number, product, version="", comment=""):
    return f'{number:010d},add,file,DATE,TIME,"{product}","{version}","{comment}",'.encode()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_store_is_the_one_that_symstore_made(run, symstore, real, tmp_path, name):
    root, store = real(name), tmp_path / "store"

    for number, (product, version, names) in enumerate(SAMPLES[name], 1):
        said = symstore("add", *files(root, names), "/s", store, "/t", product, "/v", version)
        assert said == f"Finding ID...  {number:010d}\n\n" + COUNTERS.format(len(names), 0, 0)

    assert contents(store) == contents(root)
    assert run("verify", "--store", store).code == 0


@pytest.mark.parametrize("name", SAMPLES)
def test_a_published_store_is_asked_and_deleted_from(run, symstore, real, name):
    """The last add of the real tool is undone: the store is as before it, but for the number and its traces."""
    root = real(name)
    number = len(SAMPLES[name])
    _product, _version, names = SAMPLES[name][-1]
    before = contents(root)

    asked = symstore("query", *files(root, names), "/s", root)
    said = symstore("del", "/i", f"{number:010d}", "/s", root)

    after = contents(root)
    assert asked.count(" is stored as ") == len(names)
    assert said.startswith(f"Finding ID...  {number + 1:010d}\n\nSYMSTORE: Number of files deleted = {len(names)}\n")
    assert after["000Admin/lastid.txt"] == b"%010d" % (number + 1)
    assert after[f"000Admin/{number:010d}.deleted"] == before[f"000Admin/{number:010d}"]
    assert after["000Admin/history.txt"] == before["000Admin/history.txt"] + b"\r\n%010d,del,%010d" % (
        number + 1,
        number,
    )
    assert after["000Admin/server.txt"] == b"".join(before["000Admin/server.txt"].splitlines(keepends=True)[:-1])
    assert not any(path.startswith(tuple(f"{one}/" for one in names)) for path in after)
    assert run("verify", "--store", root).code == 0


def test_adding_again_republishing_and_deleting(symstore, real, tmp_path):
    """Two products hold one file, which is changed and published again; then each add is deleted."""
    root, store = real("new_store"), tmp_path / "store"
    admin, place = store / "000Admin", store / BIGAGE
    source = tmp_path / "build" / "bigage.pdb"
    source.parent.mkdir()
    source.write_bytes((root / BIGAGE / "bigage.pdb").read_bytes())
    changed = source.read_bytes() + b"\0" * 4096

    symstore("add", "/f", source, "/s", store, "/t", "one", "/v", "1.0")
    again = symstore("add", "/f", source, "/s", store, "/t", "two", "/o")
    source.write_bytes(changed)
    republished = symstore("add", "/f", source, "/s", store, "/t", "two", "/v", "2", "/o")

    copied = f"SYMSTORE MESSAGE: Copying {source} to {place / 'bigage.pdb'} [Force: T, Compress: F]\n"
    for number, said in ((2, again), (3, republished)):
        assert said == (
            f"SYMSTORE MESSAGE: LastId.txt reported id {number}\nSYMSTORE MESSAGE: Final id is {number:010d}\n"
            + copied
            + "\n"
            + COUNTERS.format(1, 0, 0)
        )
    adds = [line(1, "one", "1.0"), line(2, "two"), line(3, "two", "2")]
    refs = [b'%010d,file,"%s",pub,,N,,' % (number, str(source).encode()) for number in (1, 2, 3)]
    assert (place / "bigage.pdb").read_bytes() == changed
    assert (place / "refs.ptr").read_bytes() == b"\r\n".join(refs)
    assert text(admin / "history.txt") == b"\r\n".join(adds)
    assert text(admin / "server.txt") == b"".join(one + b"\r\n" for one in adds)
    assert (admin / "lastid.txt").read_bytes() == b"0000000003"

    symstore("del", "/i", "2", "/s", store)
    symstore("del", "/i", "0000000001", "/s", store)

    assert (place / "refs.ptr").read_bytes() == refs[2]
    assert text(admin / "server.txt") == adds[2] + b"\r\n"
    assert text(admin / "history.txt") == b"\r\n".join(
        [*adds, b"0000000004,del,0000000002", b"0000000005,del,0000000001"]
    )
    assert (place / "bigage.pdb").exists()

    symstore("del", "/i", "3", "/s", store)

    assert (admin / "server.txt").read_bytes() == b""
    assert (admin / "lastid.txt").read_bytes() == b"0000000006"
    assert sorted(path.name for path in store.iterdir()) == [".symsrv", "000Admin", "pingme.txt"]
    assert sorted(path.name for path in admin.iterdir()) == [
        "0000000001.deleted",
        "0000000002.deleted",
        "0000000003.deleted",
        "history.txt",
        "lastid.txt",
        "server.txt",
    ]


def test_deleting_what_is_not_there_changes_nothing(run, real):
    root = real("pe_store")
    before = contents(root)

    for number in ("0000000009", "4"):
        done = run("symstore", "del", "/i", number, "/s", root)
        assert done.code == 12
        assert done.out.startswith(f"SYMSTORE ERROR: Class: Runtime. Desc: no live transaction {int(number):010d} in ")

    assert contents(root) == before


def test_texts_with_commas_and_quotes(run, symstore, real, tmp_path):
    """No published store has a quote in a text: ours becomes an apostrophe, for there is no escape for it."""
    root, store = real("new_store"), tmp_path / "store"
    source = files(root, ["dummyprog.pdb"])

    symstore("add", *source, "/s", store, "/t", "a, b", "/v", "1,0", "/c", 'he said "no", twice')

    assert text(store / "000Admin" / "server.txt") == line(1, "a, b", "1,0", "he said 'no', twice") + b"\r\n"
    (told,) = run("history", "--store", store, "--json").lines
    assert (told["product"], told["comment"]) == ("a, b", 'he said "no", twice')


def test_a_whole_folder_counts_what_it_passes_over(symstore, real, tmp_path):
    root, store = real("pe_store"), tmp_path / "store"
    everything = [path for path in root.rglob("*") if path.is_file()]
    symbols = [path for path in everything if path.suffix in (".pdb", ".dll", ".exe")]

    said = symstore("add", "/r", "/f", root / "*.*", "/s", store, "/t", "App", "/o")

    assert said.endswith("\n\n" + COUNTERS.format(len(symbols), 0, len(everything) - len(symbols)))
    skipped = re.findall(
        r"^SYMSTORE MESSAGE: Skipping file (.*) - not a known file type\. ErrorLevel is 13\.$", said, re.M
    )
    assert set(skipped) == {str(path) for path in set(everything) - set(symbols)}
    assert (store / PROG / "dummyprog.pdb").read_bytes() == (root / PROG / "dummyprog.pdb").read_bytes()


def test_a_compressed_store_has_the_files_of_the_real_one(symstore, real, tmp_path):
    """But for the cabinet's own bytes, which each compressor writes its way."""
    root, store = real("new_store_compressed"), tmp_path / "store"
    source = files(real("new_store"), ["dummyprog.pdb"])

    symstore("add", *source, "/s", store, "/t", "dummyprod", "/compress")

    packed = f"{PROG}/dummyprog.pd_"
    ours, theirs = contents(store), contents(root)
    assert ours.pop(packed)[:4] == theirs.pop(packed)[:4] == b"MSCF"
    assert ours == theirs
