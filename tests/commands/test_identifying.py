"""What `identify` looks at, and how its answers read."""

import os
import zipfile

import pytest

from symsrv.commands.identifying import LIST_LIMIT, Files, Seen, identity_text, modules_text
from symsrv.model.errors import NotIdentified
from symsrv.model.modules import Module
from tests.made.elf_builder import build_elf
from tests.made.minidump_builder import build_minidump

RECORD = {
    "path": "a.so",
    "format": "elf",
    "kind": "code",
    "arch": None,
    "name": "a.so",
    "size": 1,
    "code_id": "ab",
    "debug_id": None,
    "debug_file": None,
    "build_id": None,
    "keys": ["a.so/ab/a.so"],
    "notes": [],
}


def test_folders_in_a_fixed_order_and_archives_in_place(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.so").write_bytes(build_elf())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("lib/x.so", build_elf())
    (tmp_path / "z.dmp").write_bytes(build_minidump())

    found = [(one.label, one.name) for one in Files([tmp_path])]

    base = str(tmp_path) + os.sep
    assert found == [(f"{base}a.zip!lib/x.so", "x.so"), (f"{base}z.dmp", None), (f"{base}b{os.sep}c.so", None)]


def test_members_lie_on_the_disk_only_while_they_are_looked_at(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("x.so", build_elf())
        file.writestr("y.so", build_elf())
    paths = []
    for one in Files([tmp_path / "a.zip"]):
        assert one.identities()[1][0].name == one.name
        assert not any(path.exists() for path in paths)
        paths.append(one.path)

    assert len(paths) == 2
    assert not any(path.parent.exists() for path in paths)


def test_a_failure_is_raised_when_it_is_asked_for(tmp_path):
    seen = Seen("a.zip!b", tmp_path, failure=NotIdentified("empty", "the file is empty"))

    for ask in (seen.identities, seen.modules):
        with pytest.raises(NotIdentified, match="empty"):
            ask()


def test_contents_have_their_lines():
    contents = {
        "sections": [
            {"name": ".text", "size": 16, "compressed": False},
            {"name": ".debug_line", "size": 5, "compressed": True},
        ],
        "sources": [f"{index}.c" for index in range(LIST_LIMIT + 1)],
        "source_link": '{"documents": {}}',
        "srcsrv": "SRCSRV: ini\nVERSION=2",
        "embedded": ["a.cs"],
    }

    lines = identity_text({**RECORD, "contents": contents}).splitlines()

    assert "  section     .text 16" in lines
    assert "  section     .debug_line 5 compressed" in lines
    assert f"  source      {LIST_LIMIT}.c" in lines
    assert '  source link {"documents": {}}' in lines
    assert "  srcsrv      VERSION=2" in lines
    assert "  embedded    a.cs" in lines


def test_no_contents_no_lines():
    assert identity_text({**RECORD, "contents": None}) == identity_text(RECORD)


def test_tables_of_none_and_of_one(tmp_path):
    seen = Seen("a.dmp", tmp_path)

    assert modules_text(seen, []) == "a.dmp: 0 modules"
    assert modules_text(seen, [Module("", "")]).splitlines()[0] == "a.dmp: 1 module"
    assert modules_text(seen, [Module("", "")]).splitlines()[2].split() == ["-"] * 4
