import json
import shutil
import subprocess
from functools import cache

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.contents import CONTENTS_BUDGET_BYTES, Contents, Span, section
from symsrv.formats.contents import contents as contents_of
from symsrv.formats.sources.dwarf_lines import joined
from symsrv.model.errors import NotIdentified
from tests.made import corpus, zig
from tests.made.dwarf_builder import ABBREV, info_unit, line_unit
from tests.made.elf_builder import ALLOC, COMPRESSED, DEBUG, NOBITS, TEXT, Part, build_elf
from tests.made.pdb_builder import build_pdb

PARTS = (
    TEXT,
    DEBUG,
    Part(".debug_line", b"\1\0\0\0zipped", flags=COMPRESSED),
    Part(".bss", kind=NOBITS, flags=ALLOC, size=40),
    Part(".empty"),
    Part(".beyond", b"x", size=1 << 30),
    Part(".debug", b"prefix"),
)


def found(data: bytes, name: str) -> Span | None:
    return section(BytesReader(data), name)


def contents(data: bytes, name: str) -> bytes | None:
    span = found(data, name)
    return None if span is None else data[span.offset : span.offset + span.size]


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize(("wide", "order"), [(False, "<"), (False, ">"), (True, "<"), (True, ">")])
def test_sections_of_every_shape(wide, order, extended):
    data = build_elf(PARTS, wide=wide, order=order, extended=extended)

    assert contents(data, ".text") == TEXT.data
    assert contents(data, ".debug_info") == DEBUG.data
    assert contents(data, ".debug") == b"prefix"


def test_compressed_sections_are_raw():
    # debuginfod(8): "the raw binary contents of the section"; its extract_section uses elf_rawdata.
    data = build_elf(PARTS)

    assert contents(data, ".debug_line") == PARTS[2].data
    assert found(data, ".debug_line").compressed
    assert not found(data, ".debug_info").compressed


@pytest.mark.parametrize(
    "name", [".bss", ".empty", ".beyond", ".nosuch", ".debug_inf", "", "a\0b", "\udc80", "\ud800x"]
)
def test_what_is_not_in_the_file_is_absent(name):
    assert found(build_elf(PARTS), name) is None


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF", b"x" * 100])
def test_no_elf(data):
    if data[:4] == b"\x7fELF":
        with pytest.raises(NotIdentified):
            found(data, ".text")
    else:
        assert found(data, ".text") is None


def test_as_pyelftools_finds_them():
    path = zig.elf().path
    data = path.read_bytes()
    with path.open("rb") as file:
        for one in ELFFile(file).iter_sections():
            if one.name and one["sh_type"] != "SHT_NOBITS" and one["sh_size"]:
                assert contents(data, one.name) == data[one["sh_offset"] :][: one["sh_size"]]


def test_many_sections_with_long_names():
    parts = [Part(f".text.{'f' * 300}{index}", b"x", flags=ALLOC) for index in range(1500)]
    reader = BytesReader(build_elf((*parts, DEBUG)))

    assert section(reader, ".debug_info").size == len(DEBUG.data)
    assert reader.bytes_read < reader.budget


def test_beyond_the_budget_it_is_too_complex():
    parts = [Part(f".x{index}", b"x") for index in range(20_000)]

    with pytest.raises(NotIdentified) as caught:
        section(BytesReader(build_elf(parts)), ".nosuch")
    assert caught.value.reason == "too-complex"


def test_cut_anywhere():
    data = build_elf(PARTS)
    for size in range(len(data)):
        try:
            span = found(data[:size], ".debug_info")
        except NotIdentified:
            continue
        assert span is None or span.offset + span.size <= size


LLVM_NAMES = ("llvm-dwarfdump", *(f"llvm-dwarfdump-{version}" for version in range(24, 14, -1)))


@cache
def llvm() -> str | None:
    """An llvm-dwarfdump that lists sources; those before 15 do not."""
    for name in LLVM_NAMES:
        tool = shutil.which(name)
        if tool and "--show-sources" in subprocess.run([tool, "--help"], capture_output=True, text=True).stdout:
            return tool
    return None


def listed(data: bytes) -> Contents | None:
    return contents_of(BytesReader(data, CONTENTS_BUDGET_BYTES), "made.bin")


def by_pyelftools(path) -> set[str]:
    """The file tables of every unit that has one, joined by the same rule."""
    found = set()
    with path.open("rb") as file:
        dwarf = ELFFile(file).get_dwarf_info()
        for unit in dwarf.iter_CUs():
            attributes = unit.get_top_DIE().attributes
            base = attributes["DW_AT_comp_dir"].value if "DW_AT_comp_dir" in attributes else b""
            lines = dwarf.line_program_for_CU(unit)
            header = lines.header if lines else None
            if header is None:
                continue
            folders = list(header["include_directory"])
            if header.version < 5:
                folders.insert(0, b"")
            for one in header["file_entry"]:
                found.add(joined(base, joined(folders[one.dir_index], one.name)).decode())
    return {one for one in found if one}


DWARF_FILES = [
    "elf/basic.dbg",
    "elf/basic.full",
    "elf/be/testfile39",
    "elf/be/testfile40.debug",
    "elf/be/testfiles390x",
    "elf/example-linux-fallback",
    "elf/libcoreclrtraceptprovider.so.dbg",
    "elf/pair/debuglink.debug",
    "elf/simple/main.dbg",
    "elf/symbolized_executable",
]


@pytest.mark.parametrize("where", DWARF_FILES)
def test_sources_of_the_corpus_as_pyelftools_reads_them(where):
    path = corpus.FOLDER / where
    if not path.exists():
        pytest.skip(f"no corpus of real files at {corpus.FOLDER}")

    found = listed(path.read_bytes())

    assert found.sources
    assert set(found.sources) == by_pyelftools(path)


@pytest.mark.parametrize("entry", corpus.entries("elf"))
def test_sources_of_the_corpus_as_llvm_lists_them(entry):
    if llvm() is None:
        pytest.skip("no llvm-dwarfdump with --show-sources (15 or later)")
    data = entry.path.read_bytes()
    try:
        found = listed(data).sources
    except NotIdentified:
        assert entry.where.startswith("broken/")
        return
    shown = subprocess.run([llvm(), "--show-sources", entry.path], capture_output=True, text=True, check=False).stdout

    assert len(set(found)) == len(found)
    if not entry.where.endswith(".dwo"):  # of which LLVM lists none
        assert set(found) == {one for one in shown.splitlines() if one}


def test_zstd_and_split_dwarf_of_the_corpus():
    if not corpus.FOLDER.exists():
        pytest.skip(f"no corpus of real files at {corpus.FOLDER}")
    zstd = listed((corpus.FOLDER / "elf/crash.debug-zstd").read_bytes())
    split = listed((corpus.FOLDER / "elf/simple/file1.dwo").read_bytes())

    assert (".debug_line", 0x4937, True) in zstd.sections
    assert len(zstd.sources) == 153
    assert split.sources[:2] == ("src/file1.cpp", "src/file1.h")


@pytest.mark.parametrize("arch", zig.ELF_TARGETS)
def test_sources_of_linked_libraries(arch):
    path = zig.elf(arch).path
    found = listed(path.read_bytes())

    assert set(found.sources) == by_pyelftools(path)
    assert [one.rsplit("/", 1)[1] for one in found.sources] == ["made.c"]
    assert found.sources[0].startswith("/") or found.sources[0][1] == ":"


def test_sources_of_an_object_file():
    (source,) = listed(zig.relocatable().read_bytes()).sources

    assert source.endswith("made.c")
    assert source.startswith("/") or source[1] == ":"


LISTED = (
    TEXT,
    Part(".bss", kind=NOBITS, flags=ALLOC, size=40),
    Part(".zdebug_str", b"x"),
    Part(".debug_line", line_unit(["inc"], [("a.c", 0), ("b.h", 1)])),
    Part(".debug_info", info_unit("/src", 0)),
    Part(".debug_abbrev", ABBREV),
)


def test_record():
    found = listed(build_elf(LISTED))

    assert found.sources == ("/src/a.c", "/src/inc/b.h")
    assert [name for name, _, _ in found.sections if name not in (".note.gnu.build-id", ".shstrtab")] == [
        ".text",
        ".zdebug_str",
        ".debug_line",
        ".debug_info",
        ".debug_abbrev",
    ]
    record = json.loads(json.dumps(found.to_record()))
    assert record["sections"][2] == {"name": ".zdebug_str", "size": 1, "compressed": True}
    assert record["sources"] == ["/src/a.c", "/src/inc/b.h"]
    assert (record["source_link"], record["srcsrv"], record["embedded"]) == (None, None, [])


@pytest.mark.parametrize("data", [b"", b"MZ", b"x" * 100])
def test_what_has_nothing_to_list(data):
    assert listed(data) is None


def test_a_pdb_without_sources():
    assert listed(build_pdb()) == Contents()


@pytest.mark.parametrize(
    ("where", "field", "start"),
    [
        ("pdb/crash_with_srcsrv.pdb", "srcsrv", "SRCSRV: ini"),
        ("ppdb/ppdb-sourcelink-sample.pdb", "source_link", '{"documents":'),
        ("ppdb/integration.pdb", "sources", "/Users/swatinem/Coding/sentry-dotnet/samples/foo/Program.cs"),
        ("pdb/HelloWorld.pdb", "embedded", "c:\\users\\noahfalk"),
    ],
)
def test_pdbs_of_the_corpus(where, field, start):
    path = corpus.FOLDER / where
    if not path.exists():
        pytest.skip(f"no corpus of real files at {corpus.FOLDER}")
    value = getattr(listed(path.read_bytes()), field)

    assert (value if isinstance(value, str) else value[0]).startswith(start)


@pytest.mark.parametrize("entry", corpus.entries())
def test_whole_corpus_is_listed_or_not(entry):
    try:
        found = listed(entry.path.read_bytes())
    except NotIdentified:
        return
    assert found is None or json.dumps(found.to_record())


def test_beyond_the_budget_lists_are_shorter():
    lines = b"".join(line_unit([], [(f"{index}.c", 0)], program=bytes(5000)) for index in range(500))
    data = build_elf((TEXT, Part(".debug_line", lines)))

    assert 10 < len(contents_of(BytesReader(data), "a.so").sources) < 500
    assert len(listed(data).sources) == 500


def test_contents_cut_anywhere():
    data = build_elf(LISTED)
    for size in range(len(data)):
        try:
            found = listed(data[:size])
        except NotIdentified:
            continue
        assert found is None or set(found.sources) <= {"/src/a.c", "/src/inc/b.h", "a.c", "inc/b.h"}


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=10), st.booleans(), st.booleans())
def test_contents_of_any_bytes(changes, wide, linked):
    relocations = Part(".rela.debug_line", bytes(range(240)), kind=4, info=5)
    data = bytearray(build_elf((*LISTED, relocations), wide=wide, file_type=3 if linked else 1))
    for at, byte in changes:
        data[at % len(data)] = byte
    try:
        found = listed(bytes(data))
    except NotIdentified:
        return
    assert found is None or json.dumps(found.to_record())
