import struct

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment

from symsrv.formats import identify_path
from symsrv.formats.base import BytesReader
from symsrv.formats.elf import Elf
from symsrv.layouts import keys
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO
from symsrv.model.ids import BUILD
from tests.formats.checks import check_against_manifest, identified, needs_symbolic, refused, survives, symbolic_object
from tests.made import corpus, zig
from tests.made.elf_builder import ALLOC, BUILD_ID, COMPRESSED, DEBUG, NOBITS, NOTE, TEXT, Part, build_elf, note

REFUSED = {
    "broken/elf-cut-before-sections": "truncated",
    "broken/elf-cut-in-ehdr": "truncated",
    "elf/elf_compressed_gnu": "no-id",
    "elf/example-linux-fallback": "no-id",  # the manifest has Breakpad's hash of the code; no store is asked for it
    "elf/simple/file1.dwo": "no-id",
    "elf/test-core.core": "not-symbols",
    "zig/elf/libzig-none.so": "no-id",
}
EVERY_SHAPE = [(wide, order) for wide in (False, True) for order in "<>"]
EMPTIED = Part(".text", kind=NOBITS, flags=ALLOC, size=16)


@pytest.mark.parametrize("entry", corpus.entries("elf"))
def test_corpus(entry):
    if entry.where in REFUSED:
        assert refused(entry.path.read_bytes()) == REFUSED[entry.where]
        return
    (found,) = identify_path(entry.path, entry.name)

    check_against_manifest(entry, found)
    check_keys(entry, found)
    tree = next(one["key"] for one in entry.keys if one["role"] == "build-id tree")
    if not entry.where.endswith(".o"):
        assert (found.kind == DEBUG_INFO) == tree.endswith(".debug")


def check_keys(entry, found):
    """SSQP has two keys for an ELF file, and which ones it answers depends on what is in it."""
    by_role = {one["role"]: (one["key"] or "").lower() for one in entry.keys}
    code, debug = by_role.get("identity when the file has no symbols (SSQP)"), by_role.get("symbol (SSQP)")
    offered = [key.lower() for key in keys(found)]

    assert not code or (code in offered) == (found.kind != DEBUG_INFO)
    assert not debug or (debug in offered) == (found.kind != CODE)


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("elf/basic.full", BOTH),
        ("elf/basic.dbg", DEBUG_INFO),
        ("elf/basic.stripped", CODE),
        ("elf/basic.minidebuginfo", CODE),
        ("elf/crash", CODE),
        ("elf/symbolized_executable", BOTH),
        ("elf/testfile52-64.noshdrs.so", CODE),
        ("elf/x64_bad_sections.elf", CODE),
        ("zig/elf/libzig-mips-linux-musl.so", BOTH),
    ],
)
def test_corpus_kinds(where, kind):
    path = corpus.FOLDER / where
    if not path.exists():
        pytest.skip(f"no corpus of real files at {corpus.FOLDER}")

    assert identify_path(path)[0].kind == kind


@pytest.mark.parametrize("arch", zig.ELF_TARGETS)
def test_linked_libraries_as_pyelftools_reads_them(arch):
    made = zig.elf(arch)
    with made.path.open("rb") as file:
        notes = [one for segment in ELFFile(file).iter_segments("PT_NOTE") for one in _notes(segment)]

    (found,) = identify_path(made.path)

    assert (found.format, found.kind, found.arch, found.symbol_kind) == ("elf", BOTH, arch, "pri")
    assert [found.build_id] == [one["n_desc"] for one in notes if one["n_type"] == "NT_GNU_BUILD_ID"]
    assert [(one.kind, one.value) for one in found.ids] == [(BUILD, found.build_id)]
    assert found.code_id == found.build_id


def _notes(segment):
    return segment.iter_notes() if isinstance(segment, NoteSegment) else ()


@needs_symbolic
@pytest.mark.parametrize("arch", zig.ELF_TARGETS)
def test_linked_libraries_as_symbolic_reads_them(arch):
    made = zig.elf(arch)
    other = symbolic_object(made.path)

    (found,) = identify_path(made.path)

    assert found.code_id == other.code_id
    if arch not in zig.BIG_ENDIAN:  # there symbolic does not swap, Breakpad does
        assert found.debug_id == other.debug_id.replace("-", "").upper() + "0"


@pytest.mark.parametrize("style", ["sha1", "md5", "uuid", "fast", "0xdeadbeef", "0x" + "5a" * 32])
def test_build_ids_of_every_length(style):
    made = zig.elf(style=style)

    (found,) = identify_path(made.path)

    assert len(found.build_id) == 2 * made.id_bytes
    assert not made.build_id or found.build_id == made.build_id


def test_linked_without_debug_information():
    assert identify_path(zig.elf(debug=False).path)[0].kind == CODE


def test_no_build_id_says_what_to_do():
    assert refused(zig.elf(style="none").path.read_bytes()) == "no-id"
    assert refused(zig.relocatable().read_bytes()) == "no-id"


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize(("segment", "section"), [(True, None), (False, ".note.gnu.build-id"), (False, ".renamed")])
@pytest.mark.parametrize(("wide", "order"), EVERY_SHAPE)
def test_every_shape(wide, order, segment, section, extended):
    parts = (TEXT, DEBUG)
    data = build_elf(
        parts, wide=wide, order=order, note_segment=segment, note_section=section, extended=extended, machine=40
    )

    found = identified(data)

    assert (found.build_id, found.kind, found.arch, found.notes) == (BUILD_ID.hex(), BOTH, "arm", ())


def test_breakpad_id_is_swapped_in_either_byte_order():
    # Breakpad's file_id.cc; the example is in the dossier of the clients, 1.6.
    ids = {identified(build_elf(order=order)).debug_id for order in "<>"}

    assert ids == {"E45DB8DFAF2D09FD640C8FE377D572DE0"}


@pytest.mark.parametrize("size", [1, 4, 8, 15, 16, 17, 20, 32, 63, 64])
def test_breakpad_id_of_other_lengths(size):
    raw = bytes(range(1, size + 1))
    found = identified(build_elf(notes=note(raw)))
    padded = raw[:16].ljust(16, b"\0")

    assert found.build_id == raw.hex()
    assert (
        found.debug_id
        == "{:08X}{:04X}{:04X}".format(*struct.unpack("<IHH", padded[:8])) + padded[8:].hex().upper() + "0"
    )


@pytest.mark.parametrize("size", [0, 65, 4000])
def test_lengths_that_no_build_id_has(size):
    assert refused(build_elf(notes=note(bytes(size)))) == "no-id"


@pytest.mark.parametrize("align", [4, 8])
def test_build_id_behind_other_notes(align):
    before = note(b"x" * 13, kind=5, align=align) + note(b"y" * 4, owner=b"Go\0\0", kind=4, align=align)
    data = build_elf(notes=before + note(align=align), note_align=align)

    assert identified(data).build_id == BUILD_ID.hex()


def test_notes_padded_to_four_in_a_segment_of_eight():
    data = build_elf(notes=note(b"x" * 20, kind=5) + note(), note_align=8)

    assert identified(data).build_id == BUILD_ID.hex()


@pytest.mark.parametrize("owner", [b"CORE\0", b"GNU", b"gnu\0", b"", b"Xen\0"])
def test_owner_of_the_note_is_checked(owner):
    # NT_PRPSINFO is type 3 too; symbolic takes it for a build id.
    assert refused(build_elf(notes=note(owner=owner))) == "no-id"


def test_core_dump():
    assert refused(build_elf(file_type=4)) == "not-symbols"


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ((TEXT,), CODE),
        ((TEXT, DEBUG), BOTH),
        ((EMPTIED, DEBUG), DEBUG_INFO),
        ((EMPTIED,), DEBUG_INFO),
        ((TEXT, Part(".zdebug_line", b"x")), BOTH),
        ((TEXT, Part(".debug_info", b"x", kind=0x7000001E)), BOTH),
        ((TEXT, Part(".debug_info")), CODE),
        ((TEXT, Part(".debug_info", kind=NOBITS, size=20)), CODE),
        ((TEXT, Part(".debug_frame", b"x")), CODE),
        ((TEXT, Part(".debug_gdb_scripts", b"x", flags=ALLOC)), CODE),
        ((TEXT, Part(".gnu_debuglink", b"x")), CODE),
        ((TEXT, Part(".debug_str", b"x", flags=COMPRESSED)), BOTH),
        ((Part(".rodata", b"icons", flags=ALLOC),), CODE),
        ((TEXT, *(Part(f".text.{'f' * 60}{index}", b"x", flags=ALLOC) for index in range(150)), DEBUG), BOTH),
        ((TEXT, *(Part(f".x{index}", b"x") for index in range(2000)), DEBUG), BOTH),
    ],
)
def test_kind(parts, kind):
    assert identified(build_elf(parts)).kind == kind


def test_without_sections_the_segments_decide():
    assert identified(build_elf((TEXT, DEBUG), sections=False)).kind == CODE


def test_id_survives_a_section_table_outside_the_file():
    data = build_elf((TEXT, DEBUG))
    found = identified(data[: len(data) - 64])

    assert (found.build_id, found.kind) == (BUILD_ID.hex(), CODE)
    assert found.notes


def test_program_headers_of_another_file_are_no_fault():
    # eu-strip leaves a debug file the program headers of the program, so its notes may seem to lie anywhere.
    data = bytearray(build_elf((EMPTIED, DEBUG)))
    struct.pack_into("<Q", data, 64 + 56 + 8, 1 << 40)
    found = identified(bytes(data))

    assert (found.build_id, found.kind, found.notes) == (BUILD_ID.hex(), DEBUG_INFO, ())


@pytest.mark.parametrize("ident", [b"\x7fELF\0\1", b"\x7fELF\3\1", b"\x7fELF\2\0", b"\x7fELF\2\3"])
def test_unknown_class_or_byte_order(ident):
    assert refused(ident + build_elf()[6:]) == "malformed"


def test_thousands_of_sections_stay_below_64_kib():
    parts = (TEXT, *(Part(f".text.function{index}", b"x", flags=ALLOC) for index in range(20_000)), DEBUG)
    reader = BytesReader(build_elf(parts))

    (found,) = Elf().identify(reader, "a.so")

    assert found.kind == BOTH
    assert reader.bytes_read < 65536


def test_note_sections_are_bounded():
    parts = [Part(f".note.{index}", note(kind=5), kind=NOTE) for index in range(300)]
    reader = BytesReader(build_elf((*parts, TEXT), notes=note(kind=5)))

    with pytest.raises(Exception, match="build id"):
        Elf().identify(reader, "a.so")
    assert reader.bytes_read < 65536


def test_cut_anywhere():
    data = build_elf((TEXT, DEBUG))
    whole = identified(data)

    for size in range(len(data)):
        found = survives(data[:size])
        assert found is None or found.ids == whole.ids
