"""`symsrv missing --dump`: the modules of dumps, what of them is here, and the exit code for scripts."""

import json

import pytest

from tests.crash.publishing import image
from tests.made.minidump_builder import Loaded, build_minidump, rsds

OTHER = bytes(range(16))
CRASH = Loaded("C:\\out\\a.dll", stamp=0x5AB38077, version=(1, 2, 3, 4))
SYSTEM = Loaded("C:\\Windows\\System32\\kernel32.dll", rsds(OTHER, path=b"kernel32.pdb"), stamp=1)
NEWER = Loaded("C:\\out\\b.dll", stamp=0x77777777)
NOTHING = Loaded("anonymous", size=0)


@pytest.fixture
def store(run, tmp_path):
    folder = tmp_path / "store"
    built = tmp_path / "built"
    run("add", image(built, "a.dll"), "--store", folder)
    run("add", image(built, "b.dll"), "--store", folder, "--product", "app", "--version", "2.0")
    return folder


@pytest.fixture
def dump(tmp_path):
    def write(name="crash.dmp", modules=(CRASH, SYSTEM, NEWER, NOTHING), **more):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(build_minidump(modules, **more))
        return path

    return write


def test_json_has_one_line_for_each_module(run, store, dump):
    done = run("missing", "--dump", dump(), "--store", store, "--json")

    assert done.code == 0
    assert [(one["name"], one["state"]) for one in done.lines] == [
        ("kernel32.dll", "missing"),
        ("b.dll", "near"),
        ("a.dll", "have"),
        ("anonymous", "no-id"),
    ]
    assert done.lines[2] == {
        "name": "a.dll",
        "id": "5AB380779000",
        "code_file": "a.dll",
        "code_id": "5AB380779000",
        "path": "C:\\out\\a.dll",
        "version": "1.2.3.4",
        "state": "have",
        "debug_file": None,
        "debug_id": None,
        "code_state": "have",
        "debug_state": "no-id",
        "dumps": 1,
        "near": [],
    }
    (near,) = done.lines[1]["near"]
    assert (near["reason"], near["key"]) == ("other-id", "b.dll/5AB380779000/b.dll")
    assert (near["product"], near["version"], near["transaction"]) == ("app", "2.0", "0000000002")
    assert (done.lines[0]["id"], done.lines[0]["debug_file"]) == (
        "03020100050407060809" + "0A0B0C0D0E0F1",
        "kernel32.pdb",
    )


def test_the_table_has_the_missing_ones_first(run, store, dump):
    done = run("missing", "--dump", dump(), "--store", store)

    head, first, second, beside, third, fourth, totals = done.out.splitlines()
    assert head.split() == [
        "state",
        "program",
        "debug",
        "file",
        "name",
        "version",
        "code",
        "id",
        "debug",
        "id",
        "dumps",
    ]
    assert first.split()[:4] == ["missing", "missing", "missing", "kernel32.dll"]
    assert second.split()[:4] == ["near", "near", "no-id", "b.dll"]
    assert beside == "  other-id: b.dll/5AB380779000/b.dll (app 2.0)"
    assert third.split() == ["have", "have", "no-id", "a.dll", "1.2.3.4", "5AB380779000", "-", "1"]
    assert fourth.split()[0] == "no-id"
    assert totals == "4 modules of 1 dump: 1 missing, 1 near, 1 have, 1 no-id"


def test_several_dumps_are_merged(run, store, dump, tmp_path):
    dump("dumps/a.dmp", [CRASH, CRASH])
    dump("dumps/b.dmp", [Loaded("D:\\other\\A.DLL", stamp=CRASH.stamp, base=7), SYSTEM])
    (tmp_path / "dumps" / "notes.txt").write_text("beside the dumps")

    done = run("missing", "--dump", tmp_path / "dumps", dump("c.dmp", [SYSTEM]), "--store", store, "--json")

    assert done.code == 0
    assert [(one["name"], one["dumps"]) for one in done.lines] == [("kernel32.dll", 2), ("a.dll", 2)]


@pytest.mark.parametrize(
    ("options", "names", "code"),
    [
        (["--only", "missing"], ["kernel32.dll"], 0),
        (["--only", "missing", "--only", "near", "--strict"], ["kernel32.dll", "b.dll"], 1),
        (["--include", "A*.DLL", "--strict"], ["a.dll"], 0),
        (["--exclude", "kernel32.*", "--exclude", "b.*", "--strict"], ["a.dll", "anonymous"], 0),
        (["--only", "near", "--strict"], ["b.dll"], 1),
    ],
)
def test_only_some_are_listed(run, store, dump, options, names, code):
    done = run("missing", "--dump", dump(), "--store", store, "--json", *options)

    assert ([one["name"] for one in done.lines], done.code) == (names, code)


def test_a_dump_that_cannot_be_read_is_told_beside_the_others(run, store, dump, tmp_path):
    bad = tmp_path / "bad.dmp"
    bad.write_bytes(b"no dump")

    done = run("missing", "--dump", bad, "--dump", dump(), "--store", store, "--json")

    assert done.code == 3
    assert (done.lines[0]["path"], done.lines[0]["reason"]) == (str(bad), "unknown-format")
    assert run("missing", "--dump", tmp_path / "nowhere", "--store", store, "--json").lines[0]["reason"] == "missing"
    assert "unknown-format" in run("missing", "--dump", bad, "--store", store).err


def test_a_cut_dump_shows_what_it_has_and_fails(run, store, dump):
    cut = dump("cut.dmp", [CRASH, Loaded("x.dll", rsds(), record_at=0xFFFFFF)])

    done = run("missing", "--dump", cut, "--store", store)

    assert done.code == 1
    assert "a.dll" in done.out
    assert "truncated" in done.err


def test_a_strange_module_steers_no_terminal(run, store, dump):
    done = run("missing", "--dump", dump("a.dmp", [Loaded("a\x1b[2J\nb.exe", stamp=3)]), "--store", store)

    assert "\x1b" not in done.out
    assert len(done.out.splitlines()) == 3


@pytest.fixture
def wants(run, store):
    def listed():
        return {(one["kind"], one["name"]): one for one in run("missing", "--store", store, "--json").lines}

    return listed


def test_what_is_missing_goes_on_the_missing_list(run, store, dump, wants):
    done = run("missing", "--dump", dump(), "--store", store)

    assert "on the missing list" in done.err
    found = wants()
    assert set(found) == {("code", "kernel32.dll"), ("debug", "kernel32.pdb"), ("code", "b.dll")}
    one = found["code", "kernel32.dll"]
    assert (one["path"], one["count"], one["waiting"]) == ("C:\\Windows\\System32\\kernel32.dll", 1, 1)
    assert one["who"] == ["dump:crash.dmp"]


def test_the_same_dump_again_changes_nothing(run, store, dump, wants):
    run("missing", "--dump", dump(), "--store", store)
    before = wants()

    run("missing", "--dump", dump(), "--store", store)
    run("missing", "--dump", dump("dumps/crash.dmp"), "--store", store)

    assert wants() == before


def test_a_dry_run_and_what_is_left_out_go_nowhere(run, store, dump, wants):
    run("missing", "--dump", dump(), "--store", store, "--dry-run")
    assert wants() == {}

    run("missing", "--dump", dump(), "--store", store, "--exclude", "kernel32*")

    assert set(wants()) == {("code", "b.dll")}


def test_publishing_what_is_missing_takes_it_off(run, store, dump, wants, tmp_path):
    run("missing", "--dump", dump(modules=(Loaded("C:\\c.dll", stamp=CRASH.stamp),)), "--store", store)
    assert set(wants()) == {("code", "c.dll")}

    run("add", image(tmp_path / "later", "c.dll"), "--store", store)

    assert wants() == {}


def test_where_no_list_can_be_kept_the_modules_are_told_all_the_same(run, store, dump, tmp_path, monkeypatch):
    monkeypatch.setenv("SYMSRV_DATABASE", f"sqlite:///{tmp_path}/crash.dmp/state.sqlite")

    done = run("missing", "--dump", dump(), "--store", store)

    assert done.code == 0
    assert "4 modules of 1 dump" in done.out
    assert "could not be put on the missing list" in done.err


def test_no_store(run, dump, tmp_path):
    assert run("missing", "--dump", dump(), "--store", tmp_path / "nowhere").code == 10
    assert (
        json.loads(run("missing", "--dump", dump(), "--store", tmp_path / "nowhere", "--json").out)["reason"]
        == "no-store"
    )
