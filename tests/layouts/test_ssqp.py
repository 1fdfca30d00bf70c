import pytest

from symsrv.layouts.ssqp import Ssqp
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import (
    CORECLR_BUILD,
    CORECLR_UUID,
    MSFZ,
    UUID,
    WASM,
    SymbolId,
    build_id,
    debug_id,
    pe_id,
    perfmap_id,
    uuid_id,
    wasm_id,
)

SHORT = build_id(bytes.fromhex("001ba81f23966cf77e40bcbb0701cd34"))
PADDED = SHORT.value + "00000000"
GUID = "497b72f6390a44fc878e5a2d63b6cc4b"


@pytest.mark.parametrize("text", [SHORT.value, PADDED, PADDED.upper()])
def test_padded_and_unpadded(text: str):
    ask = Ssqp().parse(f"_.debug/elf-buildid-sym-{text}/_.debug")

    assert ask is not None
    assert SHORT in ask.ids
    assert (ask.wants, ask.name) == (Wants.DEBUG, None)


def test_the_exact_build_id_comes_first():
    ask = Ssqp().parse(f"a/elf-buildid-{PADDED}/a")

    assert ask is not None
    assert [one.value for one in ask.ids] == [PADDED, PADDED[:-2], PADDED[:-4], PADDED[:-6], SHORT.value]


def test_code_keeps_its_name():
    assert Ssqp().parse(f"libA.so/elf-buildid-{SHORT.value}/liba.so") == Ask(Wants.CODE, (SHORT,), "libA.so")


def test_an_underscore_is_any_name():
    assert Ssqp().parse(f"_/elf-buildid-{SHORT.value}/_") == Ask(Wants.CODE, (SHORT,))


def test_packed_form():
    assert Ssqp().parse(f"_.debug/elf-buildid-sym-{SHORT.value}/_.debu_") == Ask(Wants.DEBUG, (SHORT,), packed=True)


@pytest.mark.parametrize(
    "path",
    [
        f"a/elf-buildid-{SHORT.value}/b",
        f"a/elf-buildid-{SHORT.value}0/a",
        "a/elf-buildid-sym-/a",
        f"a/elf-buildid-coreclr-{SHORT.value}0/a",
        f"a/elf-buildid-coreclr-{SHORT.value}/b",
        f"a/mach-uuid-{GUID}0/a",
        f"a/mach-uuid-sym-{GUID[1:]}/a",
        f"a/mach-uuid-coreclr-{GUID[1:]}x/a",
        f"a/r2rmap-v-{GUID}/a",
        f"a/r2rmap-v1-{GUID}0/a",
        f"a/r2rmap-vx-{GUID}/a",
        f"a/sha1-{GUID}/a",
        f"a.pdb/{GUID}1/msfz1/a.pdb",
        f"a.pdb/{GUID}1/msfz0/b.pdb",
        "a.pdb/ab/msfz0/a.pdb",
        f"x/a.pdb/{GUID}1/msfz0/a.pdb",
        f"../elf-buildid-{SHORT.value}/..",
    ],
)
def test_refuses(path: str):
    assert Ssqp().parse(path) is None


@pytest.mark.parametrize(
    ("ask", "path"),
    [
        (Ask(Wants.CODE, (pe_id(0x542D574E, 0xC2000),), "Foo.exe"), "foo.exe/542D574Ec2000/foo.exe"),
        (Ask(Wants.DEBUG, (debug_id(GUID, 26),), "Foo.pdb"), f"foo.pdb/{GUID}1a/foo.pdb"),
        (Ask(Wants.DEBUG, (debug_id(GUID, 0xFFFFFFFF),), "Foo.pdb"), f"foo.pdb/{GUID}FFFFFFFF/foo.pdb"),
        (Ask(Wants.DEBUG, (debug_id(GUID, 1),), "Foo.pdb", packed=True), f"foo.pdb/{GUID}1/foo.pd_"),
    ],
)
def test_prints_as_dotnet_symbol_asks(ask: Ask, path: str):
    assert Ssqp().paths(ask) == (path,)


def test_prints_both_lengths_of_a_build_id():
    assert Ssqp().paths(Ask(Wants.DEBUG, (SHORT,))) == (
        f"_.debug/elf-buildid-sym-{SHORT.value}/_.debug",
        f"_.debug/elf-buildid-sym-{PADDED}/_.debug",
    )
    assert Ssqp().paths(Ask(Wants.CODE, (SHORT,), "MD5")) == (
        f"md5/elf-buildid-{SHORT.value}/md5",
        f"md5/elf-buildid-{PADDED}/md5",
        f"md5/{SHORT.value}/md5",
    )


def test_prints_an_underscore_for_any_name():
    twenty = build_id(b"\x01" * 20)

    assert Ssqp().paths(Ask(Wants.CODE, (twenty,))) == (f"_/elf-buildid-{twenty.value}/_",)


def test_has_no_path_for_what_it_does_not_carry():
    assert Ssqp().paths(Ask(Wants.SYM, (SHORT,), "a")) == ()
    assert Ssqp().paths(Ask(Wants.DEBUG, (debug_id(GUID, 1),))) == ()


UUID_ID = uuid_id(bytes.fromhex("67e9247c814e392ba027dbde6748fcbf"))
RUNTIME = SymbolId(CORECLR_BUILD, SHORT.value)
MAC_RUNTIME = SymbolId(CORECLR_UUID, "b5372bdabccd38f8899b6a782ceca847")
PERFMAP_ID = perfmap_id(1, "734d59d6de0e96aa3c77b3e2ed498097")
SWAPPED = "d6594d730edeaa963c77b3e2ed498097"


def test_mach_o():
    code = Ssqp().parse(f"libFoo.dylib/mach-uuid-{UUID_ID.value.upper()}/libfoo.dylib")

    assert code == Ask(Wants.CODE, (UUID_ID,), "libFoo.dylib")
    assert Ssqp().parse(f"_.dwarf/mach-uuid-sym-{UUID_ID.value}/_.dwarf") == Ask(Wants.DEBUG, (UUID_ID,))
    assert Ssqp().parse(f"_/mach-uuid-{UUID_ID.value}/_") == Ask(Wants.CODE, (UUID_ID,))
    assert Ssqp().paths(Ask(Wants.EITHER, (UUID_ID,), "Foo")) == (
        f"foo/mach-uuid-{UUID_ID.value}/foo",
        f"foo/{UUID_ID.value}/foo",
        f"_.dwarf/mach-uuid-sym-{UUID_ID.value}/_.dwarf",
    )


def test_rust_minidump_asks_for_mach_o_code_by_the_bare_uuid():
    ask = Ssqp().parse(f"crash/{UUID_ID.value}/crash")

    assert ask is not None
    assert SymbolId(UUID, UUID_ID.value) in ask.ids


@pytest.mark.parametrize("text", [SHORT.value, PADDED, PADDED.upper()])
def test_a_runtimes_companions_go_by_its_build_id(text: str):
    ask = Ssqp().parse(f"libMscordaccore.so/elf-buildid-coreclr-{text}/libmscordaccore.so")

    assert ask is not None
    assert RUNTIME in ask.ids
    assert {one.kind for one in ask.ids} == {CORECLR_BUILD}
    assert (ask.wants, ask.name) == (Wants.EITHER, "libMscordaccore.so")
    assert Ssqp().paths(Ask(Wants.CODE, (RUNTIME,), "libmscordbi.so")) == (
        f"libmscordbi.so/elf-buildid-coreclr-{SHORT.value}/libmscordbi.so",
        f"libmscordbi.so/elf-buildid-coreclr-{PADDED}/libmscordbi.so",
    )


def test_a_runtimes_companions_on_a_mac_go_by_its_uuid():
    path = f"libmscordbi.dylib/mach-uuid-coreclr-{MAC_RUNTIME.value}/libmscordbi.dylib"

    assert Ssqp().parse(path) == Ask(Wants.EITHER, (MAC_RUNTIME,), "libmscordbi.dylib")
    assert Ssqp().paths(Ask(Wants.EITHER, (MAC_RUNTIME,), "libmscordbi.dylib")) == (path,)


@pytest.mark.parametrize("text", [PERFMAP_ID.value, SWAPPED, SWAPPED.upper()])
def test_a_ready_to_run_map_is_read_as_dotnet_and_as_perfview_print_it(text: str):
    signature = text.removeprefix("1-")

    ask = Ssqp().parse(f"A.ni.r2rmap/r2rmap-v01-{signature}/a.ni.r2rmap")

    assert ask is not None
    assert set(ask.ids) == {PERFMAP_ID, perfmap_id(1, SWAPPED)}
    assert ask.ids[0] == perfmap_id(1, signature), "as it is printed comes first"
    assert Ssqp().paths(Ask(Wants.DEBUG, (PERFMAP_ID,), "A.ni.r2rmap")) == (
        f"a.ni.r2rmap/r2rmap-v{PERFMAP_ID.value}/a.ni.r2rmap",
        f"a.ni.r2rmap/r2rmap-v1-{SWAPPED}/a.ni.r2rmap",
    )


def test_a_signature_that_reads_the_same_either_way_is_read_once():
    ask = Ssqp().parse(f"a/r2rmap-v1-{'00' * 16}/a")

    assert ask == Ask(Wants.EITHER, (perfmap_id(1, "00" * 16),), "a")


def test_web_assembly():
    one = wasm_id(bytes.fromhex("deadbeef0123456789abcdeffedcba98"))
    path = f"test_module.wasm/{one.value}/test_module.wasm"

    assert Ssqp().paths(Ask(Wants.EITHER, (one,), "Test_Module.wasm")) == (path,)
    ask = Ssqp().parse(path)
    assert ask is not None
    assert SymbolId(WASM, one.value) in ask.ids


def test_who_asks_for_the_plain_path_is_never_given_a_compressed_container():
    path = f"Foo.pdb/{GUID.upper()}1A/msfz0/foo.pdb"
    ids = (SymbolId(MSFZ, f"{GUID}1a"),)

    assert Ssqp().parse(path) == Ask(Wants.EITHER, ids, "Foo.pdb")
    assert Ssqp().paths(Ask(Wants.DEBUG, ids, "Foo.pdb")) == (f"foo.pdb/{GUID}1a/msfz0/foo.pdb",)
    plain = Ssqp().parse(f"foo.pdb/{GUID}1a/foo.pdb")
    assert plain is not None
    assert MSFZ not in {one.kind for one in plain.ids}
