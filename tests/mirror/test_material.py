import pytest

from symsrv.layouts import parse_any
from symsrv.mirror.converters import ConversionError
from symsrv.mirror.converters.dump_syms import DumpSyms
from symsrv.mirror.material import find, of_arrival, partner
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import BUILD, DEBUG, PE, UUID, SymbolId
from tests.made import zig
from tests.made.elf_builder import DEBUG as DEBUG_SECTION
from tests.made.elf_builder import TEXT, build_elf, note
from tests.made.macho_builder import UUID as UUID_BYTES
from tests.made.macho_builder import build_macho
from tests.made.pdb2_builder import build_pdb2
from tests.made.pdb_builder import build_pdb
from tests.made.pe_builder import Entry, build_pe, rsds

takes = DumpSyms().takes


@pytest.fixture
def make(tmp_path):
    def write(name, data):
        folder = tmp_path / "made"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(data)
        return path

    return write


def the_pair(add, make):
    """A PDB and the PE that names it; what text symbols of both are asked for by."""
    add(make("a.pdb", build_pdb()), make("a.exe", build_pe([Entry(rsds(b"a.pdb"))])))


def identity_of(store, wants, *ids, name=None):
    [file, *_] = store.find(Ask(wants, ids, name))
    return file.identities[0]


def pdb_ask(store, name="a.pdb"):
    [file] = [one for one in store.search("a.pdb", limit=9) if one.home.endswith(".pdb")]
    return Ask(Wants.SYM, file.identities[0].ids, name)


def test_a_pdb_and_its_program(store, add, make):
    the_pair(add, make)

    found = find(store, pdb_ask(store), takes)

    assert (found.identity.format, found.name, found.program_name) == ("pdb", "a.pdb", "a.exe")
    assert not found.lacks_unwind_data


def test_a_pdb_alone_lacks_what_its_program_has(store, add, make):
    pair = zig.linked("x86_64")
    add(pair.debug)
    [file] = store.search("made.pdb", limit=1)
    ask = Ask(Wants.SYM, file.identities[0].ids, "made.pdb")

    assert find(store, ask, takes).lacks_unwind_data
    add(pair.code)
    assert not find(store, ask, takes).lacks_unwind_data


def test_text_symbols_that_are_asked_for_by_the_programs_id(store, add, make):
    the_pair(add, make)
    [program] = [one for one in store.search("a.exe", limit=9) if one.home.endswith(".exe")]

    found = find(store, Ask(Wants.SYM, program.identities[0].ids, "a.exe"), takes)

    assert (found.identity.format, found.name, found.program_name) == ("pdb", "a.pdb", "a.exe")


def test_names_are_in_the_files_own_case_and_otherwise_as_asked(store, add, make):
    the_pair(add, make)

    assert find(store, pdb_ask(store, "A.PDB"), takes).name == "a.pdb"
    assert find(store, pdb_ask(store, "renamed.pdb"), takes).name == "renamed.pdb"


def test_an_elf_files_debug_file_is_found_by_breakpads_id(store, add, make):
    build = bytes(range(20))
    notes = note(build)
    add(
        make("liba.so", build_elf((TEXT,), notes=notes)),
        make("liba.so.debug", build_elf((DEBUG_SECTION,), notes=notes)),
    )
    [debug_id] = identity_of(store, Wants.DEBUG, SymbolId(BUILD, build.hex())).also

    found = find(store, Ask(Wants.SYM, (debug_id,), "liba.so"), takes)

    assert (found.identity.kind, found.name, found.program_name) == ("debug", "liba.so", "liba.so")
    by_build_id = find(store, Ask(Wants.SYM, (SymbolId(BUILD, build.hex()),), "liba.so"), takes)
    assert by_build_id == found


def test_a_file_that_is_both_needs_no_program(store, add, make):
    path = zig.elf().path
    add(path)
    [file] = store.search("libmade.so", limit=1)
    identity = file.identities[0]

    found = find(store, Ask(Wants.SYM, identity.also, "libmade.so"), takes)

    assert (found.debug.home, found.program) == (file.home, None)


def test_a_mach_o_file_is_found_by_its_uuid_with_an_age(store, add, make):
    add((make("a.dwarf", build_macho(file_type=10)), "a"))

    found = find(store, Ask(Wants.SYM, (SymbolId(DEBUG, UUID_BYTES.hex() + "0"),), "a"), takes)

    assert found.identity.ids == (SymbolId(UUID, UUID_BYTES.hex()),)
    assert found.ask.ids == (SymbolId(DEBUG, UUID_BYTES.hex() + "0"),)


def test_what_is_not_here_cannot_be_converted(store, add, make):
    with pytest.raises(ConversionError, match=r"no debug file of b\.pdb is here") as raised:
        find(store, Ask(Wants.SYM, (SymbolId(DEBUG, "0" * 31 + "11"),), "b.pdb"), takes)

    assert raised.value.reason == "nothing-to-convert"


def test_a_program_alone_is_nothing_to_convert(store, add, make):
    add(make("a.exe", build_pe([Entry(rsds(b"a.pdb"))])))
    [program] = store.search("a.exe", limit=1)

    with pytest.raises(ConversionError) as raised:
        find(store, Ask(Wants.SYM, program.identities[0].ids, "a.exe"), takes)

    assert raised.value.reason == "nothing-to-convert"


def test_a_format_that_no_tool_reads(store, add, make):
    add(make("old.pdb", build_pdb2()))
    [file] = store.search("old.pdb", limit=1)

    with pytest.raises(ConversionError, match=r"old\.pdb is here, and no tool") as raised:
        find(store, Ask(Wants.SYM, file.identities[0].ids, "old.pdb"), takes)

    assert raised.value.reason == "no-converter"


def test_the_debug_file_that_has_to_come_first(store, add, make):
    ask = parse_any("a.pdb/3249D99D0C4049318610F4E4FB0B69361/a.sym")
    assert partner(store, ask) == Ask(Wants.DEBUG, ask.ids, "a.pdb")
    # Of what id a debug file of an ELF or Mach-O file is, Breakpad's id does not tell.
    assert partner(store, parse_any("liba.so/3249D99D0C4049318610F4E4FB0B69360/liba.so.sym")) is None
    assert partner(store, Ask(Wants.SYM, (SymbolId(PE, "5ab380779000"),), "a.exe")) is None


def test_the_debug_file_that_a_program_tells_of(store, add, make):
    build = bytes(range(20))
    add(make("a.exe", build_pe([Entry(rsds(b"b.pdb"))])), make("liba.so", build_elf((TEXT,), notes=note(build))))
    program = identity_of(store, Wants.CODE, SymbolId(BUILD, build.hex()))
    [exe] = [one.identities[0] for one in store.search("a.exe", limit=1)]

    by_code_id = partner(store, Ask(Wants.SYM, exe.ids, "a.exe"))
    of_elf = partner(store, Ask(Wants.SYM, program.also, "liba.so"))

    assert by_code_id == Ask(Wants.DEBUG, exe.also, "b.pdb")
    assert of_elf is not None
    assert of_elf.ids[0] == SymbolId(BUILD, build.hex())


def test_what_becomes_convertible_when_a_file_arrives(store, add, make):
    the_pair(add, make)
    pdb, exe = (store.search(name, limit=1)[0].identities[0] for name in ("a.pdb", "a.exe"))

    assert of_arrival(store, pdb, takes) == of_arrival(store, exe, takes) == find(store, pdb_ask(store), takes)
    assert of_arrival(store, pdb, takes).ask == Ask(Wants.SYM, pdb.ids, "a.pdb")


@pytest.mark.parametrize(
    ("name", "module"),
    [("liba.so.debug", "liba.so"), ("00010203.debug", None), ("_.debug", None), ("liba.so", "liba.so")],
)
def test_an_elf_debug_file_alone_tells_its_modules_name_or_not(store, add, make, name, module):
    build = bytes(range(20))
    add(make(name, build_elf((DEBUG_SECTION,), notes=note(build))))
    identity = identity_of(store, Wants.DEBUG, SymbolId(BUILD, build.hex()))

    found = of_arrival(store, identity, takes)

    assert (found and found.name) == module
    if module is None:
        add(make("liba.so", build_elf((TEXT,), notes=note(build))))
        assert of_arrival(store, identity, takes).name == "liba.so"


def test_nothing_becomes_convertible_by_a_program_alone_or_by_text_symbols(store, add, make):
    add(make("a.exe", build_pe([Entry(rsds(b"a.pdb"))])))
    add(make("b.sym", b"MODULE windows x86 3249D99D0C4049318610F4E4FB0B69361 b.pdb\nPUBLIC 1 0 main\n"))

    for name in ("a.exe", "b.sym"):
        assert of_arrival(store, store.search(name, limit=1)[0].identities[0], takes) is None
