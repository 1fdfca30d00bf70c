"""An ask becomes the requests that one upstream understands, in the order of the best clients, each once."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.layouts import LAYOUTS, parse_any
from symsrv.mirror.settings import LAYOUT_NAMES, UpstreamOptions
from symsrv.mirror.spellings import address, location, tries
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import PERFMAP, SymbolId, build_id, debug_id, pe_id, uuid_id, wasm_id

GUID = "3249d99d0c4049318610f4e4fb0b6936"
PDB = Ask(Wants.DEBUG, (debug_id(GUID, 1),), "Foo.pdb")
EXE = Ask(Wants.CODE, (pe_id(0x5AB38077, 0x9000),), "Crash.exe")
SYM = Ask(Wants.SYM, (debug_id(GUID, 0x1A),), "Foo.pdb")
BUILD = build_id(bytes.fromhex("dfb85de42daffd09640c8fe377d572de3e168920"))
BOTH = (BUILD.value, BUILD.value.upper())
ELF = Ask(Wants.CODE, (BUILD,), "libx.so.1")
ELF_DEBUG = Ask(Wants.DEBUG, (BUILD,))
UUID = uuid_id(bytes.fromhex("67e9247c814e392ba027dbde6748fcbf"))


def options(**more):
    return UpstreamOptions(**{"name": "a", "url": "https://symbols.example/store"} | more)


def paths(ask, **more):
    return [one.path for one in tries(ask, options(**more))]


def test_exact_names_come_first_then_the_packed_twins_then_pointers():
    found = tries(PDB, options(layouts=("symstore",), pointers=True))

    assert [(one.path, one.packed, one.pointer) for one in found] == [
        (f"Foo.pdb/{GUID.upper()}1/Foo.pdb", False, False),
        (f"Foo.pdb/{GUID.upper()}1/Foo.pd_", True, False),
        (f"Foo.pdb/{GUID.upper()}1/file.ptr", False, True),
    ]


def test_all_layouts_are_asked_for_the_exact_name_before_any_is_for_its_twin():
    found = tries(PDB, options(layouts=("symstore", "ssqp"), pointers=True))

    assert [one.path.split("/")[0] + one.path[-4:] for one in found] == [
        *("Foo.pdb.pdb", "foo.pdb.pdb"),
        *("Foo.pdb.pd_", "foo.pdb.pd_"),
        *("Foo.pdb.ptr", "foo.pdb.ptr"),
    ]


def test_a_server_without_packed_files_gets_one_request():
    assert paths(PDB, layouts=("ssqp",), packed=False) == [f"foo.pdb/{GUID}1/foo.pdb"]


@pytest.mark.parametrize(
    ("layout", "ask", "expected"),
    [
        ("symstore", EXE, ["Crash.exe/5AB380779000/Crash.exe"]),
        ("ssqp", EXE, ["crash.exe/5AB380779000/crash.exe"]),
        ("two-tier", EXE, ["Cr/Crash.exe/5AB380779000/Crash.exe"]),
        ("two-tier", Ask(Wants.CODE, EXE.ids, "a.dll"), ["a/a.dll/5AB380779000/a.dll"]),
        ("breakpad", SYM, [f"Foo.pdb/{GUID.upper()}1a/Foo.sym"]),
        ("breakpad", PDB, []),
        ("debuginfod", ELF, [f"buildid/{BUILD.value}/executable"]),
        ("debuginfod", ELF_DEBUG, [f"buildid/{BUILD.value}/debuginfo"]),
        ("debuginfod", PDB, []),
        ("ssqp", ELF, [f"libx.so.1/elf-buildid-{BUILD.value}/libx.so.1"]),
        ("ssqp", ELF_DEBUG, [f"_.debug/elf-buildid-sym-{BUILD.value}/_.debug"]),
        ("native", ELF_DEBUG, [f"{root}df/{BUILD.value[2:]}.debug" for root in ("", ".build-id/")]),
        ("lldb", Ask(Wants.DEBUG, (UUID,), "app"), ["67E9/247C/814E/392B/A027/DBDE6748FCBF"]),
        ("unified", PDB, [f"32/{GUID[2:]}1/debuginfo"]),
        ("slashsymbols", Ask(Wants.DEBUG, (BUILD,), "e"), [f"e/{one}/symbols" for one in BOTH]),
        ("symbold", PDB, [f"Foo.pdb/{GUID.upper()}1/Foo.pdb"]),
    ],
)  # fmt: skip
def test_each_layout_has_its_paths(layout, ask, expected):
    assert paths(ask, layouts=(layout,), packed=False) == expected


def test_an_old_build_id_is_asked_for_as_it_is_and_as_dotnet_pads_it():
    short = build_id(bytes.fromhex("001ba81f23966cf77e40bcbb0701cd34"))

    found = paths(Ask(Wants.CODE, (short,), "md5"), layouts=("ssqp",))

    assert found == [f"md5/elf-buildid-{short.value}{zeros}/md5" for zeros in ("", "00000000")]


def test_symbold_asks_for_nine_paths_of_a_module():
    guid, code = GUID.upper(), "5AB380779000"
    both = (pe_id(0x5AB38077, 0x9000), debug_id(GUID, 1))
    asks = [PDB, Ask(Wants.CODE, both, "Foo.exe"), Ask(Wants.SYM, both[1:], "Foo.pdb")]
    asks.append(Ask(Wants.SYM, both, "Foo.exe"))

    found = {path for ask in asks for path in paths(ask, layouts=("symbold",))}

    pairs = [("Foo.pdb", f"{guid}1"), ("Foo.exe", code), ("Foo.exe", f"{guid}1")]
    assert found >= {
        f"{name}/{text}/{file}" for name, text in pairs for file in (name, f"{name[:-1]}_")
    } | {f"Foo.pdb/{guid}1/Foo.sym", f"Foo.exe/{code}/Foo.sym", f"Foo.exe/{guid}1/Foo.exe.sym"}  # fmt: skip


@pytest.mark.parametrize(
    ("ask", "more", "expected"),
    [
        (PDB, {"name_case": "lower"}, f"foo.pdb/{GUID.upper()}1/foo.pdb"),
        (PDB, {"id_case": "lower"}, f"Foo.pdb/{GUID}1/Foo.pdb"),
        (PDB, {"name_case": "upper", "id_case": "upper"}, f"FOO.PDB/{GUID.upper()}1/FOO.PDB"),
        (SYM, {"id_case": "upper", "layouts": ("breakpad",)}, f"Foo.pdb/{GUID.upper()}1A/Foo.sym"),
        (EXE, {"name_case": "lower", "layouts": ("two-tier",)}, "cr/crash.exe/5AB380779000/crash.exe"),
        (ELF, {"id_case": "upper", "layouts": ("debuginfod",)}, f"buildid/{BUILD.value.upper()}/executable"),
        (ELF_DEBUG, {"id_case": "upper", "layouts": ("native",)}, f"DF/{BUILD.value[2:].upper()}.debug"),
        (ELF, {"name_case": "upper", "layouts": ("debuginfod",)}, f"buildid/{BUILD.value}/executable"),
    ],
)
def test_case_is_the_upstreams(ask, more, expected):
    assert paths(ask, **{"layouts": ("symstore",)} | more)[0] == expected


def test_both_layouts_in_one_case_are_one_request():
    assert len(paths(PDB, name_case="lower", id_case="lower", packed=False)) == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"foo.pdb/{GUID}26/foo.pdb", 2),  # the age may be 0x26 or lldb's 26
        ("foo.dll/5AB380779000/foo.dll", 1),  # and no build id, though it could be one
        ("libx.so/dfb85de42daffd09640c8fe377d572de3e168920/libx.so", 2),  # a program or its debug file, no GUID
        (f"foo.pdb/{GUID}1a/foo.sym", 1),
    ],
)
def test_readings_that_the_name_rules_out_are_not_asked(path, expected):
    found = paths(parse_any(path), layouts=("ssqp", "debuginfod", "breakpad"), packed=False)

    assert len([one for one in found if not one.startswith("buildid/")]) == expected


def test_the_decimal_age_of_one_client_is_not_asked_of_others():
    ask = Ask(Wants.DEBUG, (debug_id(GUID, 0x26),), "foo.pdb")

    assert paths(ask, layouts=("symstore", "two-tier"), packed=False) == [
        f"foo.pdb/{GUID.upper()}26/foo.pdb",
        f"fo/foo.pdb/{GUID.upper()}26/foo.pdb",
    ]


def test_a_section_is_in_the_debug_file():
    ask = Ask(Wants.SECTION, (BUILD,), detail=".debug_line")

    assert paths(ask, layouts=("debuginfod",)) == [f"buildid/{BUILD.value}/debuginfo"]


def test_nobody_packs_elf():
    assert not [one for one in tries(ELF, options(layouts=("ssqp",))) if one.packed]


def test_the_checksum_goes_with_a_debug_file_only():
    checksum = "SHA256:" + "ab" * 32

    assert {one.headers for one in tries(PDB, options(), checksum=checksum)} == {(("SymbolChecksum", checksum),)}
    assert {one.headers for one in tries(EXE, options(), checksum=checksum)} == {()}


def test_an_address_is_encoded_once_and_has_no_secret():
    url = "https://symbols.example/a%20b/?sig=secret"
    path = "100% c++ (x).pdb/ID/ä.pdb"

    shown = address(url, path)

    assert shown == "https://symbols.example/a%20b/100%25%20c%2B%2B%20%28x%29.pdb/ID/%C3%A4.pdb"
    assert location(url, path) == f"{shown}?sig=secret"
    assert address("s3://bucket/prefix/", "a b/ID/a b") == "s3://bucket/prefix/a b/ID/a b"


@pytest.mark.parametrize("name", ["..", "../../etc", "a\\b", "a\x00b", "C:", "a" * 256, ""])
def test_a_name_that_would_leave_the_url_is_asked_nowhere(name):
    ask = Ask(Wants.EITHER, (pe_id(1, 2), debug_id(GUID, 1)), name)

    assert not tries(ask, options(layouts=("symstore", "ssqp", "breakpad", "symbold"), pointers=True))


names = st.sampled_from(["a.pdb", "A.DLL", "libx.so.1", "x", "Größe (2).pdb", "a.b", "con%41.pdb", ".pdb"])
ids = st.sampled_from([PDB.ids[0], EXE.ids[0], BUILD, UUID, wasm_id(b"12345678"), SymbolId(PERFMAP, "1-" + GUID)])
cases = st.sampled_from(["as-is", "lower", "upper"])


@given(
    ask=st.builds(Ask, st.sampled_from(Wants), st.lists(ids, min_size=1, max_size=3).map(tuple), names),
    layouts=st.lists(st.sampled_from(LAYOUT_NAMES), min_size=1, max_size=4, unique=True).map(tuple),
    name_case=cases,
    id_case=cases,
    packed=st.booleans(),
    pointers=st.booleans(),
)
def test_whatever_is_asked_stays_below_the_url_and_is_asked_once(ask, **more):
    chosen = options(**more)

    found = tries(ask, chosen)

    assert len({one.path for one in found}) == len(found)
    for one in found:
        assert unquote(one.address.removeprefix("https://symbols.example/store/")) == one.path
        assert not {"", ".", ".."} & set(one.path.split("/"))
        assert chosen.packed or not one.packed
        assert chosen.pointers or not one.pointer
    order = [(one.pointer, one.packed) for one in found]
    assert order == sorted(order)


def test_every_layout_can_be_asked():
    assert set(LAYOUT_NAMES) == {layout.name for layout in LAYOUTS} | {"symbold"}
