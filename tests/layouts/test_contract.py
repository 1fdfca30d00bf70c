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
from symsrv.model.ids import BUILD, PE, SymbolId, build_id, debug_id, pe_id
from symsrv.model.names import checked_name, fold

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "MANIFEST.json"

hexadecimal = "0123456789abcdef"
NAMES = """crash.pdb|FOO.PDB|a.pdb.pdb|chrome.dll.pdb|a.dll|x|_|_.debug|libgallium-24.2.8-1~bpo12+rpt1.so|foo.pd_|ab
Slack Helper (GPU)|Größe.pdb|İ.dll|buildid|debuginfo|foo.sym|file.ptr|.pdb""".replace("\n", "|").split("|")
names = st.sampled_from(NAMES) | st.text(min_size=1, max_size=12).filter(lambda text: is_name(text))
debug_ids = st.builds(debug_id, st.text(hexadecimal, min_size=32, max_size=32), st.none() | st.integers(0, 2**32 - 1))
pe_ids = st.builds(pe_id, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
build_ids = st.builds(build_id, st.binary(min_size=1, max_size=64) | st.just(bytes(20)))
symbol_ids = st.lists(debug_ids | pe_ids | build_ids, min_size=1, max_size=3, unique=True).map(tuple)
asks = st.builds(
    Ask,
    st.sampled_from([Wants.CODE, Wants.DEBUG, Wants.EITHER, Wants.SYM]),
    symbol_ids,
    st.none() | names,
    packed=st.booleans(),
) | st.builds(Ask, st.just(Wants.SECTION), symbol_ids, detail=st.sampled_from([".debug_line", ".debug_*", "x:y"]))
identities = st.builds(Identity, st.just("pe"), st.sampled_from(["code", "debug", "both"]), names, symbol_ids)
segments = st.one_of(
    names,
    st.text(max_size=8),
    st.text(hexadecimal + hexadecimal.upper(), max_size=80),
    st.sampled_from(["buildid", "section", "elf-buildid-", "elf-buildid-sym-", "..", ".", "", "con", "a\0b", "\udc80"]),
    st.builds("{}{}".format, st.sampled_from(["elf-buildid-", "ELF-BuildID-sym-"]), st.text(hexadecimal, max_size=50)),
)
paths = st.text() | st.lists(segments, min_size=1, max_size=5).map("/".join)
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
        assert set(ask.ids) & set(identity.ids)
        assert identity.answers(ask.wants)


@pytest.mark.parametrize("name", ["..", "a/b.dll", "C:\\a.dll", "con", "x" * 256, ""])
def test_a_name_that_must_not_become_a_path_has_no_home(name: str):
    with pytest.raises(BadName):
        home(Identity("pe", "code", name, (pe_id(1, 2),)))


def by_hand(listed: dict[str, Any]) -> Identity | None:
    """The identity that a format would give, from what independent tools said; None for formats of later issues."""
    expected, name, kind = listed["expected"], listed["name"], listed["kind"]
    expected = expected.get("inner_expected", expected)
    kind = listed["expected"].get("inner_kind", kind)
    name = listed["expected"].get("members", [{"name": name}])[0]["name"]
    if kind == "pe":
        return Identity("pe", "code", name, (SymbolId(PE, expected["code_id"].lower()),))
    if kind == "pdb7":
        age = expected["dbi_age"]
        ids = [debug_id(expected["guid"], age)]
        if age is None:
            ids += [debug_id(expected["guid"], 0), debug_id(expected["guid"], expected["info_age"])]
        return Identity("pdb", "debug", name, tuple(ids))
    if kind == "pdb2":
        return Identity("pdb", "debug", name, (pe_id(int(expected["signature"], 16), expected["age"]),))
    if kind == "ppdb":
        return Identity("portable-pdb", "debug", name, (debug_id(expected["guid"], 0xFFFFFFFF),))
    if kind == "elf":
        return Identity("elf", "both", name, (SymbolId(BUILD, expected["build_id"]),))
    return None


def corpus_files() -> list[Any]:
    if not CORPUS.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no corpus at {CORPUS}"))]
    listed = json.loads(CORPUS.read_text())["files"]
    held = [one for one in listed if any(map(is_held_to, one["keys"])) and by_hand(one)]
    return [pytest.param(one, id=one["path"]) for one in held]


def is_held_to(key: dict[str, Any]) -> bool:
    return key["role"].startswith("identity") and key["key"] and "mach-uuid" not in key["key"]


@pytest.mark.parametrize("listed", corpus_files())
def test_the_corpus_agrees(listed: dict[str, Any]):
    identity = by_hand(listed)
    assert identity is not None

    found = {key.lower() for key in keys(identity)}

    wanted = {key["key"].lower() for key in listed["keys"] if is_held_to(key)}
    if listed["kind"] == "elf":
        wanted |= {key["key"].lower() for key in listed["keys"] if key["role"] == "symbol (SSQP)"}
    assert wanted <= found
