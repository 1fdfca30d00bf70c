"""Dumps: their modules, each once, whatever a dump says of itself."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from symsrv.commands.identifying import Files
from symsrv.mirror import dumps
from symsrv.mirror.dumps import Loaded as All
from symsrv.mirror.dumps import read_dumps, who_of
from symsrv.model.ids import pe_id
from symsrv.model.modules import Module
from tests.made import corpus
from tests.made.minidump_builder import Loaded, build_minidump, rsds
from tests.made.pe_builder import build_pe

CRASH = Loaded("C:\\out\\a.dll", rsds(), stamp=0x5AB38077)
OTHER = Loaded("C:\\b.dll", stamp=7)


@pytest.fixture
def put(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return write


def read(*paths):
    return list(read_dumps(Files(paths), named=paths))


def test_a_dump_has_its_modules_and_wishes_for_both_files_of_each(put):
    (dump,) = read(put("crash.dmp", build_minidump([CRASH, OTHER, Loaded("nothing", size=0)])))

    assert [one.name for one in dump.modules] == ["a.dll", "b.dll", "nothing"]
    assert dump.failure is None
    assert [(one.ask.wants.value, one.ask.name, one.who) for one in dump.wishes()] == [
        ("code", "a.dll", "dump:crash.dmp"),
        ("debug", "crash.pdb", "dump:crash.dmp"),
        ("code", "b.dll", "dump:crash.dmp"),
    ]


def test_the_same_module_in_several_dumps_is_one(put, tmp_path):
    put("dumps/1.dmp", build_minidump([CRASH, CRASH]))
    put("dumps/2.dmp", build_minidump([Loaded("D:\\A.DLL", CRASH.record, stamp=CRASH.stamp, base=1), OTHER]))
    put("dumps/notes.txt", b"beside the dumps")
    every = All()

    first, second = read(tmp_path / "dumps")
    every.add(first)
    every.add(second)

    assert first.modules[0] is second.modules[0]
    assert [(one.name, count) for one, count in every.counts.items()] == [("a.dll", 2), ("b.dll", 1)]
    assert (every.good, every.bad) == (2, 0)
    assert first.fingerprint != second.fingerprint


def test_programs_and_archives_of_dumps_stand_for_theirs(put, tmp_path):
    archive = tmp_path / "dumps.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr("in/crash.dmp", build_minidump([CRASH]))

    inside, program = read(archive, put("app.exe", build_pe()))

    assert (inside.who, [one.name for one in inside.modules]) == ("dump:crash.dmp", ["a.dll"])
    assert program.modules[0].name == "app.exe"


def test_what_was_named_and_is_no_dump_is_told(put, tmp_path):
    text, gone = put("notes.txt", b"no dump"), tmp_path / "nowhere"
    every = All()

    found = read(text, gone)
    for one in found:
        every.add(one)

    assert [getattr(one.failure, "reason", None) for one in found] == ["unknown-format", None]
    assert isinstance(found[1].failure, FileNotFoundError)
    assert (every.good, every.bad, every.counts) == (0, 2, {})


def test_a_cut_dump_has_what_it_tells_and_a_reason(put):
    (dump,) = read(put("cut.dmp", build_minidump([CRASH, Loaded("x.dll", rsds(), record_at=0xFFFFFF)])))

    assert ([one.name for one in dump.modules], dump.failure.reason) == (["a.dll", "x.dll"], "truncated")


def test_a_dump_that_lies_about_its_modules_is_bounded(put, monkeypatch):
    @dataclass
    class Endless:
        label: str = "lies.dmp"
        path: Path = Path("nowhere")

        def modules(self):
            number = 0
            while True:
                number += 1
                yield Module(f"{number}.dll", "", (pe_id(number, 1),))

    monkeypatch.setattr(dumps, "MODULES_LIMIT", 100)

    (dump,) = read_dumps([Endless()])

    assert (len(dump.modules), dump.failure.reason) == (100, "too-complex")
    (lies,) = read(put("lies.dmp", build_minidump(count=70_000)))
    assert (lies.modules, lies.failure.reason) == ((), "too-complex")


@pytest.mark.parametrize(
    "label", ["/home/me/crash.dmp", "C:\\Users\\me\\crash.dmp", "crash.dmp", "a.zip!in/crash.dmp", "a.zip!crash.dmp"]
)
def test_who_wishes_has_no_persons_name_in_it(label):
    assert who_of(label) == "dump:crash.dmp"


@pytest.mark.parametrize("entry", corpus.in_folders("minidump", "broken"))
def test_real_and_broken_files_end_in_modules_or_a_reason(entry):
    for dump in read(entry.path):
        assert dump.modules or dump.failure is not None
        assert len(dump.wishes()) <= 2 * len(dump.modules)
