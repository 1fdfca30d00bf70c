import struct
import uuid
from functools import reduce
from operator import xor

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symsrv.formats import identify_path
from symsrv.formats.base import BytesReader
from symsrv.formats.elf import Elf
from symsrv.formats.loading.elf_needed import needed
from symsrv.formats.structures.elf_text_id import text_ids
from symsrv.layouts import keys
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO
from symsrv.model.ids import BUILD
from symsrv.model.ids import DEBUG as DEBUG_KIND
from tests.formats.checks import check_against_manifest, identified, needs_symbolic, refused, survives, symbolic_object
from tests.made import corpus, zig
from tests.made.elf_builder import ALLOC, BUILD_ID, COMPRESSED, DEBUG, NOBITS, NOTE, TEXT, Part, build_elf, note

REFUSED = {
    "broken/elf-cut-before-sections": "truncated",
    "broken/elf-cut-in-ehdr": "truncated",
    "elf/elf_compressed_gnu": "no-id",
    "elf/simple/file1.dwo": "no-id",
    "elf/test-core.core": "not-symbols",
}
EVERY_SHAPE = [(wide, order) for wide in (False, True) for order in "<>"]
DATA = Part(".rodata", b"icons", flags=ALLOC)
EMPTIED = Part(".text", kind=NOBITS, flags=ALLOC, size=16)


@pytest.mark.parametrize("entry", corpus.entries("elf"))
def test_corpus(entry):
    if entry.where in REFUSED:
        assert refused(entry.path.read_bytes()) == REFUSED[entry.where]
        return
    (found,) = identify_path(entry.path, entry.name)

    check_against_manifest(entry, found)
    check_opinions(entry, found)
    if not found.build_id:
        return
    check_keys(entry, found)
    tree = next(one["key"] for one in entry.keys if one["role"] == "build-id tree")
    if not entry.where.endswith(".o"):
        assert (found.kind == DEBUG_INFO) == tree.endswith(".debug")


def check_opinions(entry, found):
    """What other tools make of the same bytes is found by, too."""
    opinions = [entry.expected.get(field) for field in ("debug_id", "debug_id_symbolic", "debug_id_breakpad")]
    known = {one.value for one in (*found.ids, *found.also) if one.kind == DEBUG_KIND}

    assert {one.lower() for one in opinions if one} == known


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


def test_linked_without_a_build_id():
    made = zig.elf(style="none")
    (found,) = identify_path(made.path)
    with made.path.open("rb") as file:
        text = ELFFile(file).get_section_by_name(".text").data()[:4096]
    hashed = bytes(reduce(xor, text[lane::16], 0) for lane in range(16))

    assert (found.build_id, found.code_id, found.kind) == (None, None, BOTH)
    assert found.debug_id == uuid.UUID(bytes_le=hashed).hex.upper() + "0"
    assert [(one.kind, one.value) for one in found.ids] == [(DEBUG_KIND, found.debug_id.lower())]
    assert "-Wl,--build-id" in found.notes[0]


@needs_symbolic
@pytest.mark.parametrize("arch", zig.ELF_TARGETS)
def test_linked_without_a_build_id_as_symbolic_hashes_it(arch):
    made = zig.elf(arch, style="none")
    other = symbolic_object(made.path).debug_id.replace("-", "") + "0"

    (found,) = identify_path(made.path)

    assert other in {one.value for one in (*found.ids, *found.also)}
    assert (found.ids[0].value == other) == (arch not in zig.BIG_ENDIAN)


@pytest.mark.parametrize("name", [".text", "text"])
@pytest.mark.parametrize("size", [1, 15, 16, 17, 40, 4095, 4096, 5000])
def test_two_opinions_on_code_that_does_not_fill_its_last_lane(size, name):
    code = bytes(index * 7 % 251 + 1 for index in range(size))
    data = build_elf((Part(name, code, flags=ALLOC), Part(".after", b"\xff" * 16)), notes=b"")
    at = data.index(b"\xff" * 16) - (size + -size % 8)
    found = identified(data)

    def hashed(lanes):
        value = bytes(reduce(xor, lanes[lane::16], 0) for lane in range(16))
        return uuid.UUID(bytes_le=value).hex + "0"

    inside, lanes = hashed(code[:4096]), hashed(data[at : at + min(-size // 16 * -16, 4096)])
    assert found.debug_id == inside.upper()
    assert [one.value for one in found.ids] == [inside]
    assert [one.value for one in found.also] == ([] if lanes == inside else [lanes])
    assert size % 16 or size > 4096 or not found.also


def test_code_at_the_end_of_the_file_is_hashed_as_if_zeros_followed():
    assert text_ids(BytesReader(b"abc"), 0, 3) == (b"abc".ljust(16, b"\0"),) * 2


def test_big_endian_files_are_found_by_both_byte_orders():
    with_id = identified(build_elf(order=">"))
    without = identified(build_elf((Part(".text", bytes(range(32, 50)), flags=ALLOC),), order=">", notes=b""))

    assert [one.value for one in with_id.also] == [with_id.debug_id.lower(), BUILD_ID[:16].hex() + "0"]
    assert len({*without.ids, *without.also}) == 3
    assert without.also[-1].value[:32] == uuid.UUID(without.debug_id[:32]).bytes_le.hex()


def test_breakpad_form_is_a_further_id():
    found = identified(build_elf())

    assert [(one.kind, one.value) for one in found.also] == [(DEBUG_KIND, found.debug_id.lower())]


@pytest.mark.parametrize(
    ("parts", "file_type", "sentence"),
    [
        ((TEXT, DEBUG), 1, "object file"),
        ((Part(".debug_info.dwo", b"x"),), 1, "split DWARF .*DW_AT_dwo_name"),
        ((Part(".debug_info.dwo", b"x"), Part(".debug_cu_index", b"x")), 1, "package .*program.*dwp"),
        ((EMPTIED, DEBUG), 3, "separate debug file .*gnu_debuglink"),
        ((Part(".rodata", b"x", flags=ALLOC),), 3, "without a .text"),
        ((Part(".text", bytes(64), flags=ALLOC),), 3, "without a .text"),
        ((Part(".text", b"ab" * 16, flags=ALLOC),), 3, "without a .text"),
    ],
)
def test_no_id_says_what_to_do(parts, file_type, sentence):
    with pytest.raises(NotIdentified, match=sentence) as caught:
        identified(build_elf(parts, file_type=file_type, notes=b""))
    assert caught.value.reason == "no-id"


def test_kernel_modules_are_known_by_their_build_id():
    found = identified(build_elf((TEXT, DEBUG), file_type=1, note_segment=False))

    assert (found.build_id, found.kind) == (BUILD_ID.hex(), BOTH)


def test_without_a_build_id_the_debug_id_names_the_home():
    (found,) = identify_path(zig.elf(style="none").path)

    assert keys(found)[0] == f"libmade.so/{found.debug_id}/libmade.so"


def test_object_files_without_a_build_id_are_left_out():
    assert refused(zig.relocatable().read_bytes()) == "no-id"


def test_code_outside_the_file_is_a_cut():
    data = build_elf((Part(".text", b"x", flags=ALLOC, size=1 << 40),), notes=b"")

    assert refused(data) == "truncated"


@pytest.mark.parametrize(
    ("part", "notes"),
    [
        (Part(".gnu_debuglink", b"a.debug\0" + bytes(4)), ["its debug information is in a.debug (.gnu_debuglink)"]),
        (
            Part(".gnu_debugaltlink", b"../a.dwz\0\xab\xcd"),
            ["it shares debug information with ../a.dwz, build id abcd (.gnu_debugaltlink)"],
        ),
        (Part(".gnu_debuglink", b"\0" * 8), []),
        (Part(".gnu_debuglink", b"x" * 9000), []),
        (Part(".gnu_debuglink", b"x"), []),
        (Part(".gnu_debuglink", b"x", size=1 << 40), []),
        (Part(".gnu_debuglink", kind=NOBITS, size=30), []),
    ],
)
def test_files_that_it_names(part, notes):
    assert list(identified(build_elf((TEXT, part))).notes) == notes


def test_needed_is_at_the_door():
    assert needed(BytesReader(zig.elf().path.read_bytes())) == ()


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
    assert refused(build_elf((DATA,), notes=note(bytes(size)))) == "no-id"


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
    assert refused(build_elf((DATA,), notes=note(owner=owner))) == "no-id"


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
        ((DATA,), CODE),
        ((DEBUG, Part(".debug_str", b"x")), DEBUG_INFO),  # what dwz moved out of several debug files
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
    reader = BytesReader(build_elf((*parts, DATA), notes=note(kind=5)))

    with pytest.raises(Exception, match="build id"):
        Elf().identify(reader, "a.so")
    assert reader.bytes_read < 65536


@pytest.mark.parametrize("notes", [None, b""])
def test_cut_anywhere(notes):
    data = build_elf((TEXT, Part(".gnu_debuglink", b"a.debug\0" + bytes(4)), DEBUG), notes=notes)
    whole = identified(data)

    for size in range(len(data)):
        found = survives(data[:size])
        assert found is None or found.ids == whole.ids


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(EVERY_SHAPE),
    st.sampled_from([None, b""]),
    st.lists(st.tuples(st.integers(0, 1200), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF])), max_size=8),
)
def test_flipped_bytes_are_identified_or_not(shape, notes, changes):
    link = Part(".gnu_debugaltlink", b"a.dwz\0\1\2")
    data = bytearray(build_elf((TEXT, link, DEBUG), wide=shape[0], order=shape[1], notes=notes))
    for at, byte in changes:
        data[at % len(data)] = byte

    survives(bytes(data))
