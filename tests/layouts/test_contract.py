"""What every layout promises, held over the table: a new member is tested by being in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.layouts import LAYOUTS, home, keys, parse_any
from symsrv.layouts.base import Layout
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BadName
from symsrv.model.identity import Identity
from symsrv.model.ids import (
    BUILD,
    CORECLR_BUILD,
    CORECLR_UUID,
    MSFZ,
    PE,
    PERFMAP,
    PORTABLE_AGE,
    UUID,
    WASM,
    SymbolId,
    build_id,
    debug_id,
    pe_id,
    perfmap_id,
    readings,
    uuid_id,
    wasm_id,
)
from symsrv.model.names import base_name, checked_name, fold

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "MANIFEST.json"

hexadecimal = "0123456789abcdef"
NAMES = """crash.pdb|FOO.PDB|a.pdb.pdb|chrome.dll.pdb|a.dll|x|_|_.debug|libgallium-24.2.8-1~bpo12+rpt1.so|foo.pd_|ab
Slack Helper (GPU)|Größe.pdb|İ.dll|buildid|debuginfo|foo.sym|file.ptr|.pdb|symbols|Symbols.sym|_.dwarf|msfz0|abc.app
67E9|.build-id|executable|breakpad|ab.debug""".replace("\n", "|").split("|")
names = st.sampled_from(NAMES) | st.text(min_size=1, max_size=12).filter(lambda text: is_name(text))
debug_ids = st.builds(debug_id, st.text(hexadecimal, min_size=32, max_size=32), st.none() | st.integers(0, 2**32 - 1))
pe_ids = st.builds(pe_id, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
build_ids = st.builds(build_id, st.binary(min_size=1, max_size=64) | st.just(bytes(20)))
uuid_ids = st.builds(uuid_id, st.binary(min_size=16, max_size=16))
wasm_ids = st.builds(wasm_id, st.binary(min_size=1, max_size=124))
msfz_ids = st.builds(lambda one: SymbolId(MSFZ, one.value), debug_ids)
signatures = st.text(hexadecimal, min_size=32, max_size=32)
perfmap_ids = st.builds(perfmap_id, st.integers(0, 2**32 - 1), signatures)
runtime_ids = st.builds(lambda one: SymbolId(CORECLR_BUILD, one.value), build_ids) | st.builds(
    lambda one: SymbolId(CORECLR_UUID, one.value), uuid_ids
)
any_id = debug_ids | pe_ids | build_ids | uuid_ids | wasm_ids | msfz_ids | perfmap_ids | runtime_ids
symbol_ids = st.lists(any_id, min_size=1, max_size=3, unique=True).map(tuple)
asks = st.builds(
    Ask,
    st.sampled_from([Wants.CODE, Wants.DEBUG, Wants.EITHER, Wants.SYM]),
    symbol_ids,
    st.none() | names,
    packed=st.booleans(),
) | st.builds(Ask, st.just(Wants.SECTION), symbol_ids, detail=st.sampled_from([".debug_line", ".debug_*", "x:y"]))
whole_files = st.builds(
    Identity,
    st.just("pe"),
    st.sampled_from(["code", "debug", "both"]),
    names,
    symbol_ids,
    also=st.just(()) | symbol_ids,
)
text_symbols = st.builds(
    Identity,
    st.just("breakpad"),
    st.just("debug"),
    names,
    st.lists(debug_ids, min_size=1, max_size=2, unique=True).map(tuple),
    debug_file=st.none() | names,
    also=st.lists(pe_ids | build_ids | uuid_ids, max_size=1).map(tuple),
    code_file=st.none() | names,
)
identities = whole_files | text_symbols
segments = st.one_of(
    names,
    st.text(max_size=8),
    st.text(hexadecimal + hexadecimal.upper(), max_size=80),
    st.sampled_from(["buildid", "section", "elf-buildid-", "elf-buildid-sym-", "..", ".", "", "con", "a\0b", "\udc80"]),
    st.builds(
        "{}{}".format,
        st.sampled_from(
            [
                *("elf-buildid-", "ELF-BuildID-sym-", "elf-buildid-coreclr-"),
                *("mach-uuid-", "Mach-Uuid-sym-", "mach-uuid-coreclr-", "r2rmap-v1-", "R2RMap-v01-"),
            ]
        ),
        st.sampled_from([32, 40]).flatmap(lambda size: st.text(hexadecimal, min_size=size, max_size=size))
        | st.text(hexadecimal, max_size=50),
    ),
    st.sampled_from(
        ["msfz0", "executable", "debuginfo", "breakpad", "symbols", ".build-id", "ab", "cdef.debug", "67E9"]
    ),
)
# Printed by one dialect, and then a little changed: what comes near to a path of another is met so.
near_paths = st.builds(
    lambda layout, ask, change: [change(path) for path in layout.paths(ask)],
    st.sampled_from(LAYOUTS),
    asks,
    st.sampled_from(
        [
            str,
            str.upper,
            lambda path: f"ab/{path}",
            lambda path: path.partition("/")[2],
            lambda path: path.rpartition("/")[0],
            lambda path: f"{path}/symbols",
            lambda path: f"{path.rpartition('/')[0]}/symbols",
            lambda path: f"{path.rpartition('/')[0]}/debuginfo",
        ]
    ),
)
paths = (
    st.text()
    | st.lists(segments, min_size=1, max_size=6).map("/".join)
    | near_paths.filter(bool).flatmap(st.sampled_from)
)
layouts = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.name)


def is_name(text: str) -> bool:
    try:
        return checked_name(text) == text
    except BadName:
        return False


def test_the_table_has_every_layout_once():
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS)


@layouts
@given(ask=asks)
def test_what_is_printed_reads_back_to_an_ask_for_the_same_files(layout: Layout, ask: Ask):
    for path in layout.paths(ask):
        read = layout.parse(path)

        assert read is not None, path
        assert set(read.ids) & set(ask.ids)
        assert read.name is None or ask.name is None or fold(read.name) == fold(ask.name)
        assert read.packed == ask.packed
        assert read.wants is ask.wants or Wants.EITHER in (read.wants, ask.wants)
        assert read.wants is not Wants.SECTION or read.detail == ask.detail


@layouts
@given(ask=asks)
def test_no_path_is_printed_twice(layout: Layout, ask: Ask):
    printed = layout.paths(ask)

    assert len(set(printed)) == len(printed)


@given(path=paths)
def test_any_text_is_read_or_refused_and_all_layouts_agree(path: str):
    read = [ask for layout in LAYOUTS if (ask := layout.parse(path))]

    assert all(ask == read[0] for ask in read)
    assert parse_any(path) == (read[0] if read else None)
    for ask in read:
        assert ask.ids
        assert ask.name is None or checked_name(ask.name) == ask.name
        assert ask.wants is Wants.SECTION or all(is_segment(segment) for segment in path.split("/")[-3:])


def is_segment(text: str) -> bool:
    try:
        checked_name(text)
    except BadName:
        return False
    return True


@given(path=paths)
def test_case_never_matters(path: str):
    ask = parse_any(path)

    if ask and path.isascii():
        upper = parse_any(path.upper())
        # debuginfod's words are lower case, and lldb's section names are as the file has them.
        assert upper is None or (upper.wants, upper.ids, upper.packed) == (ask.wants, ask.ids, ask.packed)
        assert upper or path.lower().startswith("buildid/")


@given(one=identities, other=identities)
def test_files_of_different_ids_or_kinds_never_share_a_home(one: Identity, other: Identity):
    if fold(home(one)) == fold(home(other)):
        assert set(one.ids + one.also) & set(other.ids + other.also) or same_text(one, other)
        assert (one.role == "sym") == (other.role == "sym")


def same_text(one: Identity, other: Identity) -> bool:
    """A bare id has no kind in its path; files of different kinds would have to agree in name and digits."""
    return one.ids[0].value == other.ids[0].value


@given(name=names, debug=debug_ids, code=pe_ids, build=build_ids, uuid=uuid_ids)
def test_the_homes_of_one_builds_files_are_different(name, debug, code, build, uuid):
    files = [
        Identity("pe", "code", name, (code,), also=(debug,)),
        Identity("pdb", "debug", name, (debug,)),
        Identity("msfz", "debug", name, (SymbolId(MSFZ, debug.value),)),
        Identity("breakpad", "debug", name, (debug,), also=(code,), code_file=name),
        Identity("elf", "code", name, (build,)),
        Identity("elf", "debug", name, (build,)),
        Identity("elf", "code", name, (SymbolId(CORECLR_BUILD, build.value),)),
        Identity("macho", "code", name, (uuid,)),
        Identity("macho", "debug", name, (uuid,)),
        Identity("macho", "code", name, (SymbolId(CORECLR_UUID, uuid.value),)),
        Identity("r2rmap", "debug", name, (perfmap_id(1, uuid.value),)),
    ]

    assert len({fold(home(file)) for file in files}) == len(files)


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "../5AB380779000/..",
        "a/b/\0",
        "a\0.dll/5AB380779000/a\0.dll",
        "a\\../b/c/d",
        "a\\b.dll/5AB380779000/a\\b.dll",
        "C:/5AB380779000/C:",
        "a:b/5AB380779000/a:b",
        "con/5AB380779000/con",
        "nul.dll/5AB380779000/nul.dll",
        "a./5AB380779000/a.",
        "\udcff.dll/5AB380779000/\udcff.dll",
        "x" * 4096,
        f"{'x' * 4096}/5AB380779000/{'x' * 4096}",
        f"foo.pdb/{'a' * 4096}/foo.pdb",
        "/foo.pdb/497b72f6390a44fc878e5a2d63b6cc4b1/foo.pdb",
        "foo.pdb/497b72f6390a44fc878e5a2d63b6cc4b1/foo.pdb/",
        "foo.pdb/497b72f6390a44fc878e5a2d63b6cc4b1/file.ptr",
        "foo.pdb/497b72f6390a44fc878e5a2d63b6cc4b1/refs.ptr",
        "foo.pdb/497b72f6390a44fc878e5a2d63b6cc4b1/bar.pdb",
        "foo.pdb/497b72f6390a44fc878e5a2d63b6cc4b/1/foo.pdb",
        "foo.pdb/-97b72f6390a44fc878e5a2d63b6cc4b1/foo.pdb",
        "index2.txt",
        "pingme.txt",
        "000Admin/lastid.txt",
        "",
        "/",
        "//",
        "a/b/c",
        "buildid//debuginfo",
        "buildid/abc/debuginfo",
        "buildid/ab/source/usr/include/stdio.h",
        "buildid/ab/section/",
        "buildid/ab/section/a/b",
        "_.debug/elf-buildid-sym-/_.debug",
        "_.debug/elf-buildid-xyz/_.debug",
        "_.dwarf/mach-uuid-sym-/_.dwarf",
        "a/mach-uuid-497b72f6390a44fc878e5a2d63b6cc4/a",
        "a/r2rmap-v-497b72f6390a44fc878e5a2d63b6cc4b/a",
        "foo.pdb/497b72f6390a44fc878e5a2d63b6cc4b1/msfz0/bar.pdb",
        "foo.pdb/497b72f6390a44fc878e5a2d63b6cc4b1/msfz/foo.pdb",
        "foo.pdb/497b72f6390a44fc878e5a2d63b6cc4b1/crash.src.zip",
        "49/7b72f6390a44fc878e5a2d63b6cc4b.src.zip",
        "49/7b72f6390a44fc878e5a2d63b6cc4b1/sourcebundle",
        "49/",
        "49/.debug",
        "4/97b72f6390a44fc878e5a2d63b6cc4b",
        "497/b72f6390a44fc878e5a2d63b6cc4b",
        ".build-id/49",
        ".build-id/49/",
        ".build-id/497b72f6390a44fc878e5a2d63b6cc4b",
        ".build-id/.build-id/49/7b72f6390a44fc878e5a2d63b6cc4b",
        "67E9/247C/814E/392B/A027/DBDE6748FCBF/a",
        "67E9/247C/814E/392B/A027/DBDE6748FCB",
        "67E9/247C/814E/392B/A027/DBDE6748FCBG",
        "67E9/247C/814E/392B/A0/27DBDE6748FCBF",
        "67E9/247C/814E/392B/A027/DBDE6748FCBF.src.zip",
        "49//debuginfo",
        "4/97b72f6390a44fc878e5a2d63b6cc4b1/debuginfo",
        "con/497b72f6390a44fc878e5a2d63b6cc4b/symbols",
        "../497b72f6390a44fc878e5a2d63b6cc4b/symbols",
        "a/b/497b72f6390a44fc878e5a2d63b6cc4b/symbols",
    ],
)
def test_strange_paths_are_nobodys(path: str):
    assert parse_any(path) is None


SHA1 = "180a373d6afbabf0eb1f09be1bc45bd796a71085"
GUID = "497B72F6390A44FC878E5A2D63B6CC4B"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (f"foo.pdb/{GUID.lower()}1/foo.pdb", debug_id(GUID, 1)),  # dotnet-symbol
        (f"Foo.pdb/{GUID}1/Foo.pdb", debug_id(GUID, 1)),  # symbolicator, WinDbg, samply, PerfView, Ghidra
        (f"foo.pdb/{GUID.lower()}1A/foo.pdb", debug_id(GUID, 26)),  # symbolicator's ssqp
        (f"Foo.pdb/{GUID}1a/Foo.pdb", debug_id(GUID, 26)),
        (f"Foo.pdb/{GUID}26/Foo.pdb", debug_id(GUID, 26)),  # lldb
        (f"FOO.PDB/{GUID}1A/FOO.PDB", debug_id(GUID, 26)),  # symbolicator, casing: uppercase
        (f"foo.pdb/{GUID.lower()}FFFFFFFF/foo.pdb", debug_id(GUID, 0xFFFFFFFF)),
        (f"foo.pdb/{GUID}ffffffff/foo.pdb", debug_id(GUID, 0xFFFFFFFF)),
        (f"vc140.pdb/{GUID}/vc140.pdb", debug_id(GUID, None)),
        (f"vc140.pdb/{GUID}0/vc140.pdb", debug_id(GUID, 0)),
        ("foo.exe/542D574Ec2000/foo.exe", pe_id(0x542D574E, 0xC2000)),
        ("Foo.exe/542d574ec2000/Foo.exe", pe_id(0x542D574E, 0xC2000)),  # pdblister, rust-minidump
        ("ntdll.dll/6855580645F000/ntdll.dll", pe_id(0x68555806, 0x45F000)),  # WinDbg
        ("a.dll/0A1B2C3D1000/a.dll", pe_id(0x0A1B2C3D, 0x1000)),
        ("dummy.exe/04A30CF00800/dummy.exe", pe_id(0x04A30CF0, 0x800)),  # the Python symstore package
        ("msvcrt.pdb/37a8f40e2/msvcrt.pdb", pe_id(0x37A8F40E, 2)),  # PDB 2.0
        (f"libfoo.so/{SHA1}/libfoo.so", build_id(bytes.fromhex(SHA1))),
        ("libm.so/0011223344556677/libm.so", build_id(bytes.fromhex("0011223344556677"))),
        (f"crash/{GUID.lower()}/crash", SymbolId(UUID, GUID.lower())),  # rust-minidump on a Mac
        ("t.wasm/deadbeef0123456789abcdeffedcba98/t.wasm", SymbolId(WASM, "deadbeef0123456789abcdeffedcba98")),
        (f"main.wasm/14{SHA1}/main.wasm", SymbolId(WASM, f"14{SHA1}")),
        (f"libmscordaccore.so/elf-buildid-coreclr-{SHA1}/libmscordaccore.so", SymbolId(CORECLR_BUILD, SHA1)),
        ("mscordaccore.dll/595EBCD5538000/mscordaccore.dll", pe_id(0x595EBCD5, 0x538000)),
        (f"libmscordbi.dylib/mach-uuid-coreclr-{GUID.lower()}/libmscordbi.dylib", SymbolId(CORECLR_UUID, GUID.lower())),
        (f"a.ni.r2rmap/r2rmap-v1-{GUID.lower()}/a.ni.r2rmap", perfmap_id(1, GUID)),  # dotnet-symbol
        ("A.ni.r2rmap/r2rmap-v1-F6727B490A39FC44878E5A2D63B6CC4B/A.ni.r2rmap", perfmap_id(1, GUID)),  # PerfView
        (f"foo.pdb/{GUID.lower()}1/msfz0/foo.pdb", SymbolId(MSFZ, f"{GUID.lower()}1")),
        (f"fo/foo.pdb/{GUID.lower()}1/msfz0/foo.pdb", SymbolId(MSFZ, f"{GUID.lower()}1")),
    ],
)  # fmt: skip
def test_every_clients_casing_is_understood(path: str, wanted: SymbolId):
    ask = parse_any(path)

    assert ask is not None
    assert wanted in ask.ids
    assert ask.wants is Wants.EITHER


def test_a_hexadecimal_age_comes_before_a_decimal_one():
    ask = parse_any(f"foo.pdb/{GUID}26/foo.pdb")

    assert ask is not None
    assert ask.ids[:2] == (debug_id(GUID, 0x26), debug_id(GUID, 26))


@pytest.mark.parametrize("name", ["libgallium-24.2.8-1~bpo12+rpt1.so", "c++filt", "Slack Helper (GPU)", "100%.dll"])
def test_names_are_taken_literally(name: str):
    ask = parse_any(f"{name}/686E9835D66E381253D84E5E01FEFAD30/{name}.sym")

    assert ask is not None
    assert (ask.name, ask.wants) == (name, Wants.SYM)


def test_names_are_composed():
    ask = parse_any("Gro\u0308ße.pdb/5AB380779000/Grö\u00dfe.pdb")

    assert ask is not None
    assert ask.name == "Größe.pdb"


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (Identity("pe", "code", "Crash.exe", (pe_id(0x5AB38077, 0x9000),)), ["Crash.exe/5AB380779000/Crash.exe"]),
        (
            Identity("pdb", "debug", "vc140.pdb", (debug_id(GUID, None), debug_id(GUID, 0), debug_id(GUID, 2))),
            [f"vc140.pdb/{GUID}/vc140.pdb", f"vc140.pdb/{GUID}0/vc140.pdb", f"vc140.pdb/{GUID}2/vc140.pdb"],
        ),
        (
            Identity("pdb", "debug", "Old.pdb", (debug_id(GUID, 26),)),
            [f"Old.pdb/{GUID}1a/Old.pdb", f"Old.pdb/{GUID}26/Old.pdb"],
        ),
        (
            Identity("elf", "code", "libA.so", (build_id(bytes.fromhex("0011223344556677")),)),
            [
                "liba.so/elf-buildid-0011223344556677/liba.so",
                "liba.so/elf-buildid-0011223344556677000000000000000000000000/liba.so",
                "liba.so/0011223344556677/liba.so",
            ],
        ),
        (
            Identity("elf", "debug", "libA.so.debug", (build_id(bytes.fromhex("ab")),)),
            ["_.debug/elf-buildid-sym-ab/_.debug"],
        ),
        (
            Identity("elf", "both", "main", (build_id(bytes.fromhex("ab")),)),
            ["main/elf-buildid-ab/main", "main/ab/main", "_.debug/elf-buildid-sym-ab/_.debug"],
        ),
    ],
)
def test_keys_are_the_home_and_every_other_spelling(identity: Identity, expected: list[str]):
    assert list(keys(identity)) == expected
    assert home(identity) == expected[0]


@given(identity=identities)
def test_every_key_asks_for_the_file_it_belongs_to(identity: Identity):
    found = keys(identity)

    assert home(identity) == found[0]
    assert len({fold(key) for key in found}) == len(found)
    for key in found:
        ask = parse_any(key)
        assert ask is not None, key
        assert set(ask.ids) & set(identity.ids + identity.also)
        assert identity.answers(ask.wants)


@pytest.mark.parametrize("name", ["..", "a/b.dll", "C:\\a.dll", "con", "x" * 256, ""])
def test_a_name_that_must_not_become_a_path_has_no_home(name: str):
    with pytest.raises(BadName):
        home(Identity("pe", "code", name, (pe_id(1, 2),)))


def by_hand(listed: dict[str, Any]) -> list[Identity]:
    """The identities that a format would give, from what independent tools said; none for what is not identified."""
    expected, name, kind = listed["expected"], listed["name"], listed["kind"]
    expected = expected.get("inner_expected", expected)
    kind = listed["expected"].get("inner_kind", kind)
    name = base_name(listed["expected"].get("members", [{"name": name}])[0]["name"])
    if kind == "pe":
        return [Identity("pe", "code", name, (SymbolId(PE, expected["code_id"].lower()),))]
    if kind == "pdb7":
        age = expected["dbi_age"]
        ids = [debug_id(expected["guid"], age)]
        if age is None:
            ids += [debug_id(expected["guid"], 0), debug_id(expected["guid"], expected["info_age"])]
        return [Identity("pdb", "debug", name, tuple(ids))]
    if kind == "pdb2":
        return [Identity("pdb", "debug", name, (pe_id(int(expected["signature"], 16), expected["age"]),))]
    if kind == "ppdb":
        return [Identity("portable-pdb", "debug", name, (debug_id(expected["guid"], PORTABLE_AGE),))]
    if kind == "elf":
        return [Identity("elf", "both", name, (SymbolId(BUILD, expected["build_id"]),))]
    if kind in ("macho", "fat"):
        role = "debug" if set(listed["filetype"]) == {"DSYM"} else "both"
        return [Identity("macho", role, name, (SymbolId(UUID, one["uuid"]),)) for one in expected["uuids"]]
    if kind == "wasm" and expected.get("build_id"):
        ids = [SymbolId(WASM, expected[field]) for field in ("build_id", "build_id_raw_payload") if expected.get(field)]
        return [Identity("wasm", "both", name, tuple(dict.fromkeys(ids)))]
    if kind == "msfz":
        return [Identity("msfz", "debug", name, (SymbolId(MSFZ, expected["debug_id"].lower()),))]
    if kind == "sym" and expected.get("debug_file"):
        ids = readings(expected["debug_id"])[:1]
        return [Identity("breakpad", "debug", name, ids, debug_file=expected["debug_file"])]
    return []


def corpus_files() -> list[Any]:
    if not CORPUS.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no corpus at {CORPUS}"))]
    listed = json.loads(CORPUS.read_text())["files"]
    held = [one for one in listed if any(map(is_held_to, one["keys"])) and by_hand(one)]
    return [pytest.param(one, id=one["path"]) for one in held]


def is_held_to(key: dict[str, Any]) -> bool:
    roles = ("identity", "symbol (SSQP)", "variant", "Breakpad store", "peer")
    return bool(key["key"]) and key["role"].startswith(roles)


@pytest.mark.parametrize("listed", corpus_files())
def test_the_corpus_agrees(listed: dict[str, Any]):
    found = {key.lower() for identity in by_hand(listed) for key in keys(identity)}

    assert {key["key"].lower() for key in listed["keys"] if is_held_to(key)} <= found


def test_a_ready_to_run_map_of_the_corpus_has_its_peers_key():
    identity = Identity(
        "r2rmap",
        "debug",
        "System.ComponentModel.EventBasedAsync.ni.r2rmap",
        (perfmap_id(1, "734d59d6de0e96aa3c77b3e2ed498097"),),
    )

    assert home(identity) == (
        "system.componentmodel.eventbasedasync.ni.r2rmap/r2rmap-v1-734d59d6de0e96aa3c77b3e2ed498097/"
        "system.componentmodel.eventbasedasync.ni.r2rmap"
    )
    assert identity.ids[0].kind == PERFMAP


PE_FILE = pe_id(0x5AB38077, 0x9000)
CRASH = "3249D99D0C4049318610F4E4FB0B6936"
MACH = "67E9247C814E392BA027DBDE6748FCBF"
LIBM = "dfb85de42daffd09640c8fe377d572de3e168920"


@pytest.mark.parametrize(
    ("path", "wants", "wanted"),
    [
        (f"crash.pdb/{CRASH}1/crash.pdb", Wants.EITHER, debug_id(CRASH, 1)),
        ("crash.exe/5AB380779000/crash.exe", Wants.EITHER, PE_FILE),
        (f"crash.pdb/{CRASH}1/crash.sym", Wants.SYM, debug_id(CRASH, 1)),
        (f"cr/crash.pdb/{CRASH}1/crash.pdb", Wants.EITHER, debug_id(CRASH, 1)),
        ("32/49d99d0c4049318610f4e4fb0b69361/debuginfo", Wants.DEBUG, debug_id(CRASH, 1)),
        ("32/49d99d0c4049318610f4e4fb0b69361/executable", Wants.CODE, debug_id(CRASH, 1)),
        ("32/49D99D0C4049318610F4E4FB0B69361/BREAKPAD", Wants.SYM, debug_id(CRASH, 1)),
        ("67E9/247C/814E/392B/A027/DBDE6748FCBF.app", Wants.CODE, SymbolId(UUID, MACH.lower())),
        ("67E9/247C/814E/392B/A027/DBDE6748FCBF", Wants.DEBUG, SymbolId(UUID, MACH.lower())),
        (f"crash/{MACH}0/crash.sym", Wants.SYM, debug_id(MACH, 0)),
        ("67/e9247c814e392ba027dbde6748fcbf/executable", Wants.CODE, SymbolId(UUID, MACH.lower())),
        ("67/e9247c814e392ba027dbde6748fcbf/breakpad", Wants.SYM, debug_id(MACH, 0)),
        ("67/e9247c814e392ba027dbde6748fcbf.debug", Wants.DEBUG, SymbolId(WASM, MACH.lower())),
        ("67/e9247c814e392ba027dbde6748fcbf", Wants.CODE, SymbolId(WASM, MACH.lower())),
        ("67/e9247c814e392ba027dbde6748fcbf/debuginfo", Wants.DEBUG, SymbolId(WASM, MACH.lower())),
        (f"df/{LIBM[2:]}", Wants.CODE, SymbolId(BUILD, LIBM)),
        (f"df/{LIBM[2:]}.debug", Wants.DEBUG, SymbolId(BUILD, LIBM)),
        (f".build-id/df/{LIBM[2:]}.debug", Wants.DEBUG, SymbolId(BUILD, LIBM)),
        (f"df/{LIBM[2:]}/debuginfo", Wants.DEBUG, SymbolId(BUILD, LIBM)),
        (f"df/{LIBM[2:]}/breakpad", Wants.SYM, debug_id("E45DB8DFAF2D09FD640C8FE377D572DE", 0)),
        (f"libm-2.23.so/elf-buildid-{LIBM}/libm-2.23.so", Wants.CODE, SymbolId(BUILD, LIBM)),
        (f"_/_.debug/elf-buildid-sym-{LIBM}/_.debug", Wants.DEBUG, SymbolId(BUILD, LIBM)),
        (f"cr/crash/mach-uuid-{MACH.lower()}/crash", Wants.CODE, SymbolId(UUID, MACH.lower())),
        (f"_/_.dwarf/mach-uuid-sym-{MACH.lower()}/_.dwarf", Wants.DEBUG, SymbolId(UUID, MACH.lower())),
        (f"libm-2.23.so/{LIBM}/symbols", Wants.DEBUG, SymbolId(BUILD, LIBM)),
        (f"libm-2.23.so/{LIBM.upper()}/symbols", Wants.DEBUG, SymbolId(BUILD, LIBM)),
    ],
)  # fmt: skip
def test_symbolicators_worked_paths(path: str, wants: Wants, wanted: SymbolId):
    for spelled in (path, path.lower(), path.upper()):
        ask = parse_any(spelled)

        assert ask is not None, spelled
        assert ask.wants is wants
        assert wanted in ask.ids


def test_text_symbols_have_a_key_for_every_leaf_and_for_the_program():
    identity = Identity(
        "breakpad",
        "debug",
        "Crash.sym",
        (debug_id(CRASH, 1),),
        debug_file="CRASH.PDB",
        also=(PE_FILE,),
        code_file="crash.dll",
    )

    assert keys(identity) == (
        f"CRASH.PDB/{CRASH}1/CRASH.sym",
        f"CRASH.PDB/{CRASH}1/CRASH.PDB.sym",
        "crash.dll/5AB380779000/crash.sym",
        "crash.dll/5AB380779000/crash.dll.sym",
    )


@pytest.mark.parametrize("debug_file", ["..", "a/b.pdb", "C:\\a.pdb", "con"])
def test_text_symbols_of_a_file_whose_name_must_not_become_a_path_have_no_home(debug_file: str):
    with pytest.raises(BadName):
        home(Identity("breakpad", "debug", "a.sym", (debug_id(CRASH, 1),), debug_file=debug_file))


def test_text_symbols_whose_program_has_a_bad_name_have_their_other_keys():
    bad = Identity("breakpad", "debug", "a.sym", (debug_id(CRASH, 1),), also=(PE_FILE,), code_file="a/b.dll")

    assert keys(bad) == (f"a.sym/{CRASH}1/a.sym.sym",)


def test_an_id_that_no_path_can_hold_has_no_home():
    with pytest.raises(BadName, match="in no dialect"):
        home(Identity("breakpad", "debug", "a", (wasm_id(b"a"),)))


def test_a_portable_pdb_has_all_its_spellings_for_keys_and_lies_where_symstore_would_put_it():
    also = (debug_id(CRASH, 0xCFB0FC89), debug_id(CRASH, 1))
    identity = Identity("portable-pdb", "debug", "App.pdb", (debug_id(CRASH, PORTABLE_AGE),), also=also)

    assert keys(identity) == (
        f"App.pdb/{CRASH}ffffffff/App.pdb",
        f"App.pdb/{CRASH}cfb0fc89/App.pdb",
        f"App.pdb/{CRASH}1/App.pdb",
    )


def test_an_elf_file_without_a_build_id_lies_under_its_debug_id():
    one = debug_id("C3FC2519F439E42A970B693775586AA8", 0)

    for kind in ("code", "debug", "both"):
        path = "libA.so/C3FC2519F439E42A970B693775586AA80/libA.so"
        assert home(Identity("elf", kind, "libA.so", (one,))) == path


def test_the_runtimes_companions_keep_their_own_home_and_have_the_runtimes_key():
    runtime = SymbolId(CORECLR_BUILD, "ef8f58a0b402d11c68f78342ef4fcc7d23798d4c")
    own = build_id(b"\xab" * 20)
    elf = Identity("elf", "code", "libmscordaccore.so", (own,), also=(debug_id(CRASH, 0), runtime))
    dll = Identity("pe", "code", "mscordbi.dll", (pe_id(1, 2),), also=(runtime, pe_id(0x595EBCD5, 0x538000)))

    assert home(elf) == f"libmscordaccore.so/elf-buildid-{own.value}/libmscordaccore.so"
    assert keys(elf)[-1] == f"libmscordaccore.so/elf-buildid-coreclr-{runtime.value}/libmscordaccore.so"
    assert keys(dll) == (
        "mscordbi.dll/000000012/mscordbi.dll",
        "mscordbi.dll/595EBCD5538000/mscordbi.dll",
        f"mscordbi.dll/elf-buildid-coreclr-{runtime.value}/mscordbi.dll",
    )
