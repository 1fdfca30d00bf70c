"""Which files arguments stand for."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from symsrv.ingest.sources import Source, discover, is_store, read_error, spelled
from symsrv.model.errors import UsageError

posix = pytest.mark.skipif(os.name == "nt", reason="links and pipes as POSIX has them")


def tree(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def labels(*paths: object, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[str]:
    return [one.label for one in discover([str(path) for path in paths], include=include, exclude=exclude)]


def below(root: Path, found: Sequence[str]) -> list[str]:
    return [os.path.relpath(path, root).replace(os.sep, "/") for path in found]


def problems(*paths: object) -> list[tuple[str, str]]:
    found = discover([str(path) for path in paths])
    return [(Path(one.label).name, one.problem.reason) for one in found if one.problem]


def test_a_folder_gives_its_files_by_name_before_those_of_its_folders(tmp_path):
    tree(tmp_path, "b.pdb", "a/z.pdb", "a/c/d.pdb", "a.exe", "c/x.pdb")

    assert below(tmp_path, labels(tmp_path)) == ["a.exe", "b.pdb", "a/z.pdb", "a/c/d.pdb", "c/x.pdb"]


def test_arguments_keep_their_order_and_their_spelling(tmp_path, monkeypatch):
    tree(tmp_path, "a.exe", "out/b.pdb")
    monkeypatch.chdir(tmp_path)

    assert labels("out", "a.exe") == [str(Path("out", "b.pdb")), "a.exe"]


def test_every_file_comes_once(tmp_path):
    tree(tmp_path, "a.exe", "b/c.pdb")

    assert below(tmp_path, labels(tmp_path / "a.exe", tmp_path, tmp_path / "b", tmp_path / "a.exe")) == [
        "a.exe",
        "b/c.pdb",
    ]
    assert below(tmp_path, labels(tmp_path, tmp_path / "b" / "c.pdb")) == ["a.exe", "b/c.pdb"]


def test_a_pattern_is_expanded_where_the_shell_did_not(tmp_path):
    tree(tmp_path, "a.exe", "b.exe", ".c.exe", "x/d.exe", "x/y/e.exe", "x/y/f.pdb")

    assert below(tmp_path, labels(tmp_path / "*.exe")) == ["a.exe", "b.exe"]
    assert below(tmp_path, labels(tmp_path / "?.exe")) == ["a.exe", "b.exe"]
    assert below(tmp_path, labels(tmp_path / "**" / "*.exe")) == ["a.exe", "b.exe", "x/d.exe", "x/y/e.exe"]
    assert below(tmp_path, labels(tmp_path / "x" / "*" / "f.pdb")) == ["x/y/f.pdb"]
    assert len(labels(tmp_path / "**")) == 6


def test_a_relative_pattern_is_expanded_in_the_working_folder(tmp_path, monkeypatch):
    tree(tmp_path, "out/a.exe", "out/b.pdb")
    monkeypatch.chdir(tmp_path)

    assert labels(Path("*", "*.pdb")) == [str(Path("out", "b.pdb"))]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    tree(tmp_path, "a[1].exe", "a1.exe")

    assert below(tmp_path, labels(tmp_path / "a[1].exe")) == ["a[1].exe"]


def test_what_is_not_there_is_told_and_the_others_go_on(tmp_path):
    tree(tmp_path, "a.exe")

    found = list(discover([str(tmp_path / "gone.pdb"), str(tmp_path / "*.dll"), str(tmp_path / "a.exe")]))

    assert [one.problem.reason if one.problem else None for one in found] == ["no-such-file", "no-such-file", None]
    assert "gone.pdb" in str(found[0].problem)


def test_a_name_with_nul_is_no_crash(tmp_path):
    assert [reason for _, reason in problems("a\0b")] == ["unreadable"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_response_file(tmp_path, encoding):
    tree(tmp_path, "ä.exe", "b c.pdb")
    listed = tmp_path / "list.txt"
    listed.write_text(f'{tmp_path / "ä.exe"}\n\n  \n"{tmp_path / "b c.pdb"}" \r\n', encoding=encoding)

    assert below(tmp_path, labels(f"@{listed}")) == ["ä.exe", "b c.pdb"]


@posix
def test_a_response_file_may_hold_names_that_are_no_text(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff.exe", os.O_CREAT | os.O_WRONLY))
    listed = tmp_path / "list.txt"
    listed.write_bytes(os.fsencode(tmp_path) + b"/\xff.exe\n")

    (found,) = discover([f"@{listed}"])

    assert found.path.exists()
    assert found.label.endswith("\\xff.exe")
    found.label.encode()


def test_a_missing_response_file_is_wrong_usage_at_once(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.txt"):
        discover([f"@{tmp_path / 'nowhere.txt'}"])


def test_a_file_that_begins_with_an_at_sign_is_that_file(tmp_path, monkeypatch):
    tree(tmp_path, "@a.exe")
    monkeypatch.chdir(tmp_path)

    assert labels("@a.exe") == ["@a.exe"]


def test_include_and_exclude_ignore_case_and_take_paths(tmp_path):
    tree(tmp_path, "A.PDB", "b.exe", "old/c.pdb", "new/old/d.pdb")

    assert below(tmp_path, labels(tmp_path, include=["*.pdb"])) == ["A.PDB", "new/old/d.pdb", "old/c.pdb"]
    assert below(tmp_path, labels(tmp_path, include=["*.pdb"], exclude=["old"])) == ["A.PDB"]
    assert below(tmp_path, labels(tmp_path, exclude=["new/*", "*.exe"])) == ["A.PDB", "old/c.pdb"]
    assert labels(tmp_path / "b.exe", exclude=["*.exe"]) == []


def test_version_control_and_stores_inside_are_not_build_output(tmp_path):
    tree(
        tmp_path,
        "a.exe",
        ".git/b.exe",
        "symbols/.symsrv/store.json",
        "symbols/a.exe/1/a.exe",
        "old/000Admin/x",
        "old/b",
    )

    assert below(tmp_path, labels(tmp_path)) == ["a.exe"]
    assert is_store(tmp_path / "symbols")
    assert "a.exe/1/a.exe" in below(tmp_path / "symbols", labels(tmp_path / "symbols"))


@posix
def test_of_a_link_and_its_target_the_target_counts(tmp_path):
    tree(tmp_path, "out/libfoo.so.1.2")
    (tmp_path / "out" / "libfoo.so").symlink_to("libfoo.so.1.2")

    assert below(tmp_path, labels(tmp_path / "out")) == ["out/libfoo.so.1.2"]
    assert below(tmp_path, labels(tmp_path / "out" / "libfoo.so")) == ["out/libfoo.so"]


@posix
def test_a_link_that_leads_out_of_the_folder_is_followed_once(tmp_path):
    tree(tmp_path, "cache/x1", "out/real.exe")
    (tmp_path / "out" / "a.exe").symlink_to(tmp_path / "cache" / "x1")
    (tmp_path / "out" / "b.exe").symlink_to(tmp_path / "cache" / "x1")

    assert below(tmp_path, labels(tmp_path / "out")) == ["out/real.exe", "out/a.exe"]


@posix
def test_loops_of_links_end(tmp_path):
    tree(tmp_path, "out/a.exe", "out/in/b.exe", "beside/c.exe")
    (tmp_path / "out" / "in" / "up").symlink_to(tmp_path / "out")
    (tmp_path / "out" / "self").symlink_to("self")
    (tmp_path / "out" / "beside").symlink_to(tmp_path / "beside")
    (tmp_path / "beside" / "back").symlink_to(tmp_path / "out")

    found = list(discover([str(tmp_path / "out")]))

    assert below(tmp_path, [one.label for one in found if not one.problem]) == [
        "out/a.exe",
        "out/in/b.exe",
        "out/beside/c.exe",
    ]
    assert problems(tmp_path / "out") == [("self", "dangling-link")]


@posix
def test_pipes_and_sockets_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.pdb")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "sock"))

        assert problems(tmp_path) == [("pipe.pdb", "not-a-file"), ("sock", "not-a-file")]
    (tmp_path / "link.pdb").symlink_to("pipe.pdb")
    assert problems(tmp_path / "pipe.pdb", tmp_path / "link.pdb", "/dev/null") == [
        ("pipe.pdb", "not-a-file"),
        ("link.pdb", "not-a-file"),
        ("null", "not-a-file"),
    ]


def test_a_folder_that_vanishes_while_walking_is_told(tmp_path):
    tree(tmp_path, "a/b.exe", "c/d.exe")

    walking = discover([str(tmp_path)])
    first = next(walking)
    (tmp_path / "c" / "d.exe").unlink()
    (tmp_path / "c").rmdir()
    rest = list(walking)

    assert first.label.endswith("b.exe")
    assert [one.problem.reason for one in rest if one.problem] == ["vanished"]


def test_errors_of_the_system_become_reasons():
    assert read_error(FileNotFoundError(2, "gone"), "a").reason == "vanished"
    assert read_error(PermissionError(13, "no"), "a").reason == "unreadable"
    assert "a cannot be read: no" in str(read_error(PermissionError(13, "no"), "a"))


def test_a_source_is_spelled_in_text_that_every_file_can_keep():
    assert spelled("ä/b") == "ä/b"
    assert Source(Path("a"), "a").problem is None
