import sys
from pathlib import Path

import pytest

from symsrv.formats import identify_path
from symsrv.mirror import convert
from symsrv.mirror.base import Absent, Refused, Unavailable, WrongContent
from symsrv.mirror.convert import Convert
from symsrv.mirror.probing import probe
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BackendError
from symsrv.model.ids import PE, SymbolId
from symsrv.model.wants import Wish
from tests.made import zig
from tests.mirror.converters.fakes import dump_syms, script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


@pytest.fixture
def converter(tmp_path, store, state):
    def opened(**options):
        tool = dump_syms(tmp_path / "dump_syms")
        return Convert(
            UpstreamOptions(**{"name": "symbols", "kind": "convert", "url": str(tool)} | options), store, state
        )

    return opened


def the_sym(path):
    """The text symbols that a debug file becomes."""
    identity = identify_path(path, path.name)[0]
    ids = [one for one in (*identity.ids, *identity.also) if one.kind == "debug"]
    return Ask(Wants.SYM, tuple(ids), path.name)


def fetch(upstream, ask, into, **more):
    [one, *_] = upstream.tries(ask)
    return upstream.fetch(one, into, **more)


def test_text_symbols_are_tried_once_for_each_id(converter):
    ask = Ask(
        Wants.SYM, (SymbolId("debug", "3249d99d0c4049318610f4e4fb0b69361"), SymbolId(PE, "5ab380779000")), "a.pdb"
    )

    tries = converter().tries(ask)

    assert [one.path for one in tries] == [
        "a.pdb/3249D99D0C4049318610F4E4FB0B69361/a.sym",
        "a.pdb/5AB380779000/a.sym",
    ]
    assert tries[0].address == "symbols:a.pdb/3249D99D0C4049318610F4E4FB0B69361/a.sym"


@pytest.mark.parametrize("wants", [Wants.CODE, Wants.DEBUG, Wants.EITHER])
def test_nothing_else_is_tried(converter, wants):
    assert converter().tries(Ask(wants, (SymbolId(PE, "5ab380779000"),), "a.exe")) == []


def test_a_pdb_of_ours_becomes_text_symbols(converter, add, into):
    pair = zig.linked("x86_64")
    add(pair.code, pair.debug)
    heard = []

    fetched = fetch(converter(), the_sym(pair.debug), into, stage=lambda *one: heard.append(one))

    [identity] = identify_path(fetched.path, "made.sym")
    assert (identity.debug_file, identity.code_file) == ("made.pdb", "made.exe")
    assert fetched.tool == "dump_syms 9.9.9"
    assert fetched.address.startswith("symbols:made.pdb/")
    assert fetched.address.endswith("/made.sym by dump_syms 9.9.9")
    assert (fetched.received, fetched.notes) == (0, [])
    assert set(heard) == {("converting", 0)}
    assert [one.name for one in into.iterdir()] == [fetched.path.name]


def test_a_pdb_that_is_kept_compressed_is_converted_too(converter, add, into):
    pair = zig.linked("x86_64")
    add(pair.code, pair.debug, compress=True)

    fetched = fetch(converter(), the_sym(pair.debug), into)

    assert identify_path(fetched.path, "made.sym")[0].debug_file == "made.pdb"


def test_without_its_program_that_is_said(converter, add, into):
    pair = zig.linked("x86_64")
    add(pair.debug)

    fetched = fetch(converter(), the_sym(pair.debug), into)

    assert fetched.notes == ["made without its program, which has the unwind data"]


def test_an_elf_file_of_ours_becomes_text_symbols(converter, add, into):
    path = zig.elf().path
    add(path)

    fetched = fetch(converter(), the_sym(path), into)

    assert identify_path(fetched.path, "made.sym")[0].debug_file == "libmade.so"


def test_a_debug_file_that_is_not_here_is_wished_for(converter, state, into):
    upstream = converter()
    pdb = zig.linked("x86_64").debug

    with pytest.raises(Absent, match=r"no debug file of made\.pdb is here") as raised:
        fetch(upstream, the_sym(pdb), into)

    [want] = state.wants.list()
    assert raised.value.reason == "nothing-to-convert"
    assert (want.ask.wants, want.ask.name, want.who) == (Wants.DEBUG, "made.pdb", ("convert",))
    assert want.ask.ids == the_sym(pdb).ids
    assert list(into.iterdir()) == []


def test_without_a_state_nothing_is_wished_for(converter, store, into):
    upstream = Convert(converter().options, store)

    with pytest.raises(Absent):
        fetch(upstream, the_sym(zig.linked("x86_64").debug), into)


def test_without_a_tool_it_is_refused(converter, add, into):
    add(zig.elf().path)

    with pytest.raises(Refused, match="nowhere cannot be run") as raised:
        fetch(converter(url="/nowhere"), the_sym(zig.elf().path), into)

    assert raised.value.reason == "no-converter"


@pytest.mark.parametrize(
    ("body", "options", "reason"),
    [
        ("sys.exit('panicked')", {}, "conversion-failed"),
        ("import time; time.sleep(600)", {"idle_timeout": 0.3}, "conversion-timeout"),
        ("while True: pass", {"cpu_limit": 0.3}, "conversion-timeout"),
        ("open(arguments[2], 'wb').write(bytes(1 << 20))", {"size_limit": 1000}, "conversion-failed"),
        ("bytearray(1 << 30)", {"memory_limit": 128 << 20}, "conversion-failed"),
    ],
    ids=["panic", "idle", "busy", "large", "hungry"],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="held by Linux alone")
def test_a_tool_that_goes_wrong_is_ended_and_leaves_nothing(converter, add, into, tmp_path, body, options, reason):
    add(zig.elf().path)
    upstream = converter(**options)
    script(tmp_path / "dump_syms", body)

    with pytest.raises(Refused) as raised:
        fetch(upstream, the_sym(zig.elf().path), into)

    assert raised.value.reason == reason
    assert list(into.iterdir()) == []


def test_who_waits_can_end_a_conversion(converter, add, into, tmp_path):
    class Stopped(Exception):
        pass

    heard = []

    def hear(*_):
        heard.append(1)
        if len(heard) == 3:
            raise Stopped

    add(zig.elf().path)
    upstream = converter()
    script(tmp_path / "dump_syms", "import time; time.sleep(600)")

    with pytest.raises(Stopped):
        fetch(upstream, the_sym(zig.elf().path), into, stage=hear)

    assert list(into.iterdir()) == []


def test_what_a_killed_conversion_left_is_swept(converter, add, into):
    add(zig.elf().path)
    left = into / "converting-abc" / "debug"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"left")

    fetched = fetch(converter(), the_sym(zig.elf().path), into)

    assert list(into.iterdir()) == [fetched.path]


def test_a_damaged_file_of_ours_is_said_to_be(converter, add, into, store):
    pdb = zig.linked("x86_64").debug
    add(pdb, compress=True)
    [cabinet] = Path(store.url.removeprefix("file://")).rglob("made.pd_")
    cabinet.write_bytes(cabinet.read_bytes()[:-200])

    with pytest.raises(WrongContent, match="cannot be read"):
        fetch(converter(), the_sym(pdb), into)


def test_a_store_that_cannot_be_read_is_tried_later(converter, store, into, monkeypatch):
    def refuse(*_):
        raise BackendError("unavailable", "the bucket cannot answer", transient=True)

    monkeypatch.setattr(store, "find", refuse)

    with pytest.raises(Unavailable, match="the bucket cannot answer"):
        fetch(converter(), the_sym(zig.elf().path), into)


def test_the_connection_test_finds_out_whether_there_is_a_tool(converter):
    def tested(**more):
        return probe(converter(**more).options, opener=lambda options: converter(**more))

    here, gone = tested(), tested(url="/nowhere")

    assert here.usable
    assert not gone.usable
    assert [one.reason for one in gone.findings] == ["no-converter"]


def test_a_path_that_is_none_of_ours_is_absent(converter, into):
    upstream = converter()
    [one] = upstream.tries(the_sym(zig.elf().path))

    with pytest.raises(Absent):
        upstream.fetch(type(one)("made.pdb/../made.sym", "x"), into)


def test_a_pdb_waits_for_the_program_that_is_being_fetched(converter, add, state, into):
    pair = zig.linked("x86_64")
    add(pair.debug)
    program = identify_path(pair.code, "made.exe")[0]
    [number] = state.wants.file([Wish(Ask(Wants.CODE, program.ids, "made.exe"))])
    assert state.wants.claim("somebody", 1, lease_seconds=600)
    heard = []

    def hear(*_):
        # The third time that the converter looks, the program has come.
        heard.append(1)
        if len(heard) == 3:
            add(pair.code)
            state.wants.release(number, "somebody")

    fetched = fetch(converter(), the_sym(pair.debug), into, stage=hear)

    assert fetched.notes == []
    assert identify_path(fetched.path, "made.sym")[0].code_file == "made.exe"


def test_it_does_not_wait_for_ever(converter, add, state, into, monkeypatch):
    monkeypatch.setattr(convert, "PROGRAM_SECONDS", 0.1)
    pair = zig.linked("x86_64")
    add(pair.debug)
    program = identify_path(pair.code, "made.exe")[0]
    state.wants.file([Wish(Ask(Wants.CODE, program.ids, "made.exe"))])
    state.wants.claim("somebody", 1, lease_seconds=600)

    assert fetch(converter(), the_sym(pair.debug), into).notes
