"""`symsrv verify`: a summary, each fault with what mends it, exit code 1."""

import pytest

from tests.crash.publishing import image

HOME = "a.dll/5AB380779000/a.dll"


@pytest.fixture
def store(run, tmp_path):
    run("add", image(tmp_path, "a.dll"), "--store", tmp_path / "store")
    return tmp_path / "store"


def test_a_good_store(run, store):
    size = (store / HOME).stat().st_size

    done = run("verify", "--store", store)

    assert (done.code, done.out) == (0, f"1 files, {size} bytes, 1 transactions: no faults\n")
    assert run("verify", "--store", store, "--json").lines == [
        {
            "type": "summary",
            "files": 1,
            "bytes": size,
            "unrecorded": 0,
            "unproven": 0,
            "transactions": 1,
            "faults": 0,
        }
    ]


def test_a_fault(run, store):
    (store / HOME).unlink()

    done = run("verify", "--store", store)
    fault, summary = run("verify", "--store", store, "--json").lines

    assert done.code == 1
    assert done.out.splitlines() == [
        f"missing: {HOME}: a live transaction holds it, and it is not there; add it again",
        "0 files, 0 bytes, 1 transactions: 1 faults",
    ]
    assert fault == {
        "kind": "missing",
        "path": HOME,
        "sentence": "a live transaction holds it, and it is not there",
        "mend": "add it again",
    }
    assert summary["faults"] == 1


def test_headers_only_and_a_folder_without_records(run, store):
    data = bytearray((store / HOME).read_bytes())
    data[-1] ^= 1
    (store / HOME).write_bytes(data)

    assert run("verify", "--store", store).code == 1
    assert run("verify", "--store", store, "--headers").code == 0
    for path in (*(store / ".symsrv").rglob("*.jsonl"), *(store / "000Admin").iterdir(), *store.rglob("refs.ptr")):
        path.unlink()
    assert run("verify", "--store", store).out.endswith(": no faults (1 files have no record)\n")


def test_no_store(run, tmp_path):
    assert run("verify", "--store", tmp_path / "nowhere").code == 10


def test_a_repair_is_told_and_foreseen(run, store):
    lastid = store / "000Admin" / "lastid.txt"
    lastid.write_bytes(b"0000000000")

    dry = run("verify", "--store", store, "--repair", "--dry-run")
    assert (dry.code, lastid.read_bytes()) == (1, b"0000000000")
    assert dry.out.splitlines()[0] == "would repair: 000Admin/lastid.txt: it says 0000000001 now"

    done = run("verify", "--store", store, "--repair", "--json")
    assert (done.code, lastid.read_bytes()) == (0, b"0000000001")
    assert done.lines[0] == {
        "type": "repair",
        "path": "000Admin/lastid.txt",
        "sentence": "it says 0000000001 now",
        "done": True,
    }
    assert run("verify", "--store", store, "--repair", "--json").lines[0]["type"] == "summary"
