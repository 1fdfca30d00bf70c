"""What /f names: patterns, folders, lists, and what is left out."""

import os

import pytest

from symsrv.commands.symstore_files import UNKNOWN, choose, local_path, matches, sources
from symsrv.commands.symstore_line import Call
from symsrv.ingest import Source
from symsrv.model.errors import UsageError
from tests.ingest.files import build, cabinet, pdb, pe, place, written, zipped
from tests.made.pdb_builder import build_pdb, dbi_stream

posix = pytest.mark.skipif(os.name == "nt", reason="what Windows means by these names, it finds itself")


def names(*files, recursive=False):
    return [source.path.name for source in sources(Call("add", files=tuple(map(str, files)), recursive=recursive))]


def problems(*files):
    return [source.problem.reason for source in sources(Call("add", files=tuple(map(str, files)))) if source.problem]


@pytest.fixture
def out(tmp_path):
    return build(tmp_path / "out")


@pytest.mark.parametrize(
    ("pattern", "does"),
    [("*", True), ("*.*", True), ("A*.PDB", True), ("app1.p?b", True), ("*.exe", False), ("app", False)],
)
def test_patterns_are_those_of_windows(pattern, does):
    assert matches("app1.pdb", pattern) is does


def test_everything_has_no_need_of_a_dot_and_brackets_are_brackets():
    assert matches("LICENSE", "*.*")
    assert matches("a[1].pdb", "a[1].*")
    assert not matches("a1.pdb", "a[1].*")


def test_a_folder_is_its_files_and_with_r_those_below(out):
    assert names(out) == ["app1.exe", "app1.pdb", "notes.txt"]
    assert names(out, recursive=True) == ["app1.exe", "app1.pdb", "notes.txt", "libapp1.so"]
    assert names(out / "*.*") == ["app1.exe", "app1.pdb", "notes.txt"]


def test_a_pattern_is_for_files_and_with_r_in_every_folder(out):
    assert names(out / "*app1.*") == ["app1.exe", "app1.pdb"]
    assert names(out / "*app1.*", recursive=True) == ["app1.exe", "app1.pdb", "libapp1.so"]


def test_each_file_comes_once(out):
    assert names(out / "app1.pdb", out / "*.pdb", out) == ["app1.pdb", "app1.exe", "notes.txt"]


def test_what_is_not_there(out):
    assert problems(out / "nowhere.pdb", out / "*.sys", out / "nowhere" / "*.*") == [
        "no-such-file",
        "no-match",
        "no-such-file",
    ]


@posix
def test_a_file_that_is_called_like_a_pattern_is_that_file(tmp_path):
    written(tmp_path / "a1.pdb", pdb(1))
    written(tmp_path / "a*.pdb", pdb(2))

    assert names(tmp_path / "a*.pdb") == ["a*.pdb"]


@posix
def test_a_link_that_leads_nowhere_counts_by_its_name(out):
    (out / "gone.pdb").symlink_to(out / "nowhere")

    assert problems(out / "*.pdb") == ["dangling-link"]
    assert problems(out / "*.exe") == []


def test_a_folder_that_cannot_be_read_is_a_problem_and_no_end(out, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", folder)

    monkeypatch.setattr("os.scandir", refuse)

    assert problems(out, out / "*.pdb") == ["unreadable"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_list_has_a_path_per_line(out, tmp_path, encoding):
    text = f'{out / "app1.pdb"}\r\n\r\n"{out / "*.exe"}"\r\n'
    lines = written(tmp_path / "list.txt", text.encode(encoding))

    assert names(f"@{lines}") == ["app1.pdb", "app1.exe"]


def test_a_list_in_no_unicode_is_in_the_systems_own_encoding(tmp_path):
    written(tmp_path / "list.txt", f"{tmp_path}/".encode() + b"caf\xe9.pdb")

    assert len(problems(f"@{tmp_path / 'list.txt'}")) == 1


def test_a_list_that_is_not_there_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="one path per line"):
        sources(Call("add", files=(f"@{tmp_path / 'nowhere'}",)))


@posix
def test_backslashes_separate_where_nothing_is_called_so(out, monkeypatch):
    monkeypatch.chdir(out.parent)
    written(out.parent / "odd\\name.pdb", pdb())

    assert names("out\\app1.pdb") == ["app1.pdb"]
    assert names("out\\*.exe") == ["app1.exe"]
    assert names(".\\out\\", recursive=True) == ["app1.exe", "app1.pdb", "notes.txt", "libapp1.so"]
    assert names("odd\\name.pdb") == ["odd\\name.pdb"]


@pytest.mark.parametrize("path", ["\\\\server\\symbols", "\\\\?\\C:\\symbols", "C:\\symbols"])
def test_paths_of_windows_are_for_windows(path):
    assert local_path(path, windows=True) == path
    with pytest.raises(UsageError, match="mounted"):
        local_path(path, windows=False)


def chosen(call, folder, store=None):
    found = sources(Call("add", files=(str(folder),), recursive=True))
    return {one.source.path.name: one.skipped for one in choose(call, found, store)}


def test_archives_are_not_looked_into(tmp_path):
    written(tmp_path / "a.zip", zipped({"app.exe": pe()}))
    written(tmp_path / "app.pd_", cabinet("app.pdb", pdb()))
    written(tmp_path / "app.pdb", pdb())

    assert chosen(Call("add"), tmp_path) == {"a.zip": UNKNOWN, "app.pd_": UNKNOWN, "app.pdb": None}


STRIPPED = build_pdb(dbi=dbi_stream(stripped=True))
TYPES = build_pdb(dbi=b"")


def test_z_takes_one_kind_of_pdb_and_every_program(tmp_path):
    written(tmp_path / "app.exe", pe())
    written(tmp_path / "pub.pdb", STRIPPED)
    written(tmp_path / "pri.pdb", pdb())
    written(tmp_path / "typ.pdb", TYPES)
    written(tmp_path / "notes.txt", b"text")
    by_kind = {kind: chosen(Call("add", only=kind), tmp_path) for kind in ("pri", "pub")}

    taken = {kind: sorted(name for name, skipped in by_kind[kind].items() if not skipped) for kind in by_kind}

    assert taken == {"pri": ["app.exe", "notes.txt", "pri.pdb"], "pub": ["app.exe", "notes.txt", "pub.pdb"]}
    assert "private" in by_kind["pri"]["pub.pdb"]


@pytest.mark.parametrize(("prefer", "loser"), [("pri", "pub"), ("pub", "pri")])
def test_h_lets_the_preferred_of_two_twins_in(tmp_path, prefer, loser):
    for kind, data in (("pri", build_pdb()), ("pub", STRIPPED)):
        written(tmp_path / kind / "app.pdb", data)
        written(tmp_path / kind / f"only-{kind}.pdb", data)
    found = sources(Call("add", files=(str(tmp_path),), recursive=True))

    left_out = [one.source.path for one in choose(Call("add", prefer=prefer), found) if one.skipped]

    assert left_out == [tmp_path / loser / "app.pdb"]


def test_h_minds_what_is_in_the_store(tmp_path, run):
    where = place(tmp_path / "store")
    assert run("add", written(tmp_path / "pri" / "app.pdb", build_pdb()), "--store", where.root).code == 0
    written(tmp_path / "pub" / "app.pdb", STRIPPED)
    written(tmp_path / "pub" / "notes.txt", b"text")

    kept = chosen(Call("add", prefer="pri"), tmp_path / "pub", where.store)

    assert "private" in kept["app.pdb"]
    assert kept["notes.txt"] is None
    assert chosen(Call("add", prefer="pub"), tmp_path / "pub", where.store)["app.pdb"] is None
    where.store.close()


def test_a_file_that_went_away_meanwhile_is_publishings_to_tell(tmp_path):
    gone = Source(tmp_path / "gone.pdb", "gone.pdb")

    for call in (Call("add"), Call("add", only="pri"), Call("add", prefer="pri")):
        assert [one.skipped for one in choose(call, [gone])] == [None]
