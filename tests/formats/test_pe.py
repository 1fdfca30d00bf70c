import struct

import pefile
import pytest

from symsrv.formats import identify_path
from symsrv.formats.structures.pe_debug import DEBUG_ENTRIES_LIMIT
from symsrv.model.identity import CODE
from symsrv.model.ids import DEBUG, PE, UUID
from tests.formats.checks import (
    check_against_manifest,
    check_keys,
    identified,
    needs_symbolic,
    refused,
    survives,
    symbolic_object,
)
from tests.made import corpus, zig
from tests.made.pe_builder import (
    GUID_TEXT,
    IMAGE_SIZE,
    STAMP,
    Entry,
    build_pe,
    misc,
    mpdb,
    mtoc,
    nb10,
    rsds,
)

# Cut or faked so that the manifest itself expects no id.
NO_ID = {"broken/truncated.exe", "broken/pe-cut-in-header.exe", "broken/mz-only.dll"}


@pytest.mark.parametrize("entry", corpus.entries("pe"))
def test_corpus(entry):
    if entry.where in NO_ID:
        assert refused(entry.path.read_bytes()) == "truncated"
        return
    (found,) = identify_path(entry.path, entry.name)

    check_against_manifest(entry, found)
    check_keys(entry, found)
    first = next((one for one in entry.expected.get("codeview") or () if one.get("pdb_path")), None)
    if first:
        assert found.debug_file == first["pdb_path"].replace("\\", "/").split("/")[-1]


@pytest.mark.parametrize("arch", zig.WINDOWS_TARGETS)
def test_linked_images_as_pefile_reads_them(arch):
    pair = zig.linked(arch)
    other = pefile.PE(str(pair.code), fast_load=True)
    other.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_DEBUG"]])
    record = next(one.entry for one in other.DIRECTORY_ENTRY_DEBUG if one.struct.Type == 2)

    (found,) = identify_path(pair.code)

    assert (found.format, found.kind, found.arch, found.symbol_kind) == ("pe", CODE, arch, "bin")
    assert found.code_id == f"{other.FILE_HEADER.TimeDateStamp:08X}{other.OPTIONAL_HEADER.SizeOfImage:x}"
    assert found.debug_id == record.Signature_String
    assert found.debug_file == "made.pdb"
    assert found.notes == ()


@needs_symbolic
@pytest.mark.parametrize("arch", zig.WINDOWS_TARGETS)
def test_linked_images_as_symbolic_reads_them(arch):
    pair = zig.linked(arch)
    other = symbolic_object(pair.code)

    (found,) = identify_path(pair.code)

    assert found.code_id.lower() == other.code_id.lower()
    assert found.debug_id.lower() == other.debug_id.replace("-", "").lower()[:32] + "1"


@pytest.mark.parametrize("wide", [False, True])
def test_stamp_keeps_its_leading_zero_and_size_has_none(wide):
    # SSQP key conventions, "PE-timestamp-filesize"; symstore issue 36.
    found = identified(build_pe(wide=wide, image_size=0x400))

    assert found.code_id == "0A1B2C3D400"
    assert [(one.kind, one.value) for one in found.ids] == [(PE, "0a1b2c3d400")]


def test_stamp_and_size_are_unsigned():
    assert identified(build_pe(stamp=0xFFFFFFFF, image_size=0xFFFFFFFF)).code_id == "FFFFFFFFffffffff"


@pytest.mark.parametrize("header_at", [0x40, 0x80, 0x200, 0x3C0])
def test_header_anywhere(header_at):
    image = build_pe(header_at=header_at) if header_at < 0x200 else build_pe(header_at=header_at).ljust(5000, b"\0")

    assert identified(image).code_id == f"{STAMP:08X}{IMAGE_SIZE:x}"


@pytest.mark.parametrize("by_address", [False, True])
def test_codeview_by_pointer_and_by_address(by_address):
    found = identified(build_pe([Entry(rsds(age=0x1A), by_address=by_address)]))

    assert found.debug_id == GUID_TEXT.upper() + "1a"
    assert found.debug_file == "made.pdb"


def test_portable_codeview_has_the_stamp_for_an_age():
    found = identified(build_pe([Entry(rsds(), minor=0x504D, stamp=0x0FB0FC89)]))

    assert found.debug_id == GUID_TEXT.upper() + "fb0fc89"


def test_first_codeview_entry_decides_and_the_second_is_noted():
    found = identified(build_pe([Entry(b"x", kind=16), Entry(rsds(b"a.ni.pdb")), Entry(rsds(b"/src/a.pdb", age=2))]))

    assert found.debug_file == "a.ni.pdb"
    assert found.notes == (f"it also names the PDB a.pdb {GUID_TEXT.upper()}2",)


def test_every_codeview_entry_can_be_found_by():
    # .NET's tools ask for both PDBs of an image that was compiled ahead of time, by the id with FFFFFFFF.
    other = bytes(range(16))
    found = identified(
        build_pe(
            [
                Entry(rsds(b"a.ni.pdb", age=26)),
                Entry(rsds(b"a.pdb", guid=other), minor=0x504D, stamp=0x0FB0FC89),
                Entry(nb10(age=112)),
                Entry(rsds(b"a.ni.pdb", age=26)),
            ]
        )
    )

    assert [(one.kind, one.value) for one in found.also] == [
        (DEBUG, GUID_TEXT + "1a"),
        (DEBUG, "03020100050407060809" + "0a0b0c0d0e0f" + "ffffffff"),
        (DEBUG, "03020100050407060809" + "0a0b0c0d0e0f" + "fb0fc89"),
        (PE, "5555cd4f70"),
    ]


def test_mach_o_file_of_firmware():
    found = identified(build_pe([Entry(mtoc())], subsystem=11))

    assert found.debug_id == "101112131415161718191A1B1C1D1E1F0"
    assert [(one.kind, one.value) for one in found.also] == [(UUID, "101112131415161718191a1b1c1d1e1f")]
    assert found.debug_file == "made.dll"


@pytest.mark.parametrize("record", [nb10(b"/Build/made.debug", signature=0, age=0), rsds(guid=bytes(16), age=0)])
def test_zeros_are_no_id(record):
    found = identified(build_pe([Entry(record)]))

    assert (found.debug_id, found.also) == (None, ())
    assert found.notes == (f"it names the debug file {found.debug_file} without an id",)


def test_debug_information_inside_is_not_a_broken_entry():
    found = identified(build_pe([Entry(b"NB09" + bytes(60))]))

    assert found.notes == ("its debug information (NB09) is inside of it",)


def test_checksum_and_embedded_pdb_are_noted_once():
    checksum = Entry(b"SHA256\0" + bytes(range(32)), kind=19)
    found = identified(build_pe([Entry(rsds()), checksum, checksum, Entry(mpdb(b"BSJB"), kind=17, minor=0x100)]))

    assert found.notes == (f"the checksum of its PDB is SHA256:{bytes(range(32)).hex()}", "it embeds its portable PDB")


@pytest.mark.parametrize("record", [b"", b"SHA256", b"\x1b[2J\0abcd", b"SHA256\0", b"SHA256\0" + bytes(65)])
def test_broken_checksum_is_not_told(record):
    assert identified(build_pe([Entry(record, kind=19)])).notes == ()


@pytest.mark.parametrize("wide", [False, True])
def test_dbg_file_of_a_stripped_image(wide):
    found = identified(build_pe([Entry(misc("C:\\out\\old.dbg", wide=wide), kind=4)], flags=0x2222))

    assert found.notes == ("its debug information was moved to old.dbg",)
    assert identified(build_pe([Entry(misc("old.dbg"), kind=4)])).notes == ()


def test_second_name_cannot_carry_control_characters():
    found = identified(build_pe([Entry(rsds()), Entry(rsds(b"\x1b[2Jx.pdb"))]))

    assert found.notes == (f"it also names the PDB ? {GUID_TEXT.upper()}1",)


def test_debug_directory_in_the_headers():
    # Drivers and firmware with SectionAlignment below a page keep it there; headers are mapped as they are.
    image = bytearray(build_pe([Entry(rsds())], directory=(0x300, 28)))
    image[0x300:0x31C] = image[0x400:0x41C]

    assert identified(bytes(image)).debug_id == GUID_TEXT.upper() + "1"


def test_nb10():
    found = identified(build_pe([Entry(nb10(age=112))]))

    assert (found.debug_id, found.debug_file) == ("5555CD4F70", "old.pdb")


@pytest.mark.parametrize(
    ("path", "file"),
    [
        (b"C:\\out/mixed\\a b.pdb", "a b.pdb"),
        (b"/home/me/a.pdb", "a.pdb"),
        (b"b\xc3\xa4r.pdb", "b\xe4r.pdb"),
        (b"", None),
        (b"C:\\out\\", None),
        (b"con.pdb", None),
        (b"a?.pdb", None),
        (b"b\xe4r.pdb", None),
        (b"x" * 300, None),
    ],
)
def test_name_of_the_pdb_is_checked(path, file):
    found = identified(build_pe([Entry(rsds(path))]))

    assert found.debug_file == file
    assert bool(found.notes) == (file is None)
    assert found.debug_id == GUID_TEXT.upper() + "1"


@pytest.mark.parametrize(
    "image",
    [
        build_pe([Entry(rsds())], directory=(0x7000_0000, 28)),
        build_pe([Entry(rsds())], directory=(0x1000, 0xFFFFFFFF)),
        build_pe([Entry(b"RSDS")]),
        build_pe([Entry(b"RSDS1234")]),
        build_pe([Entry(b"nonsense" * 4)]),
    ],
)
def test_broken_debug_directory_is_only_a_note(image):
    found = identified(image)

    assert found.code_id == f"{STAMP:08X}{IMAGE_SIZE:x}"
    assert found.debug_id is None
    assert found.notes


def test_debug_entries_are_bounded():
    image = build_pe([Entry(b"", kind=0)] * DEBUG_ENTRIES_LIMIT + [Entry(rsds())])

    assert identified(image).debug_id is None


def test_dos_program_is_no_pe():
    assert refused(b"MZ" + bytes(500)) == "unknown-format"


def test_unknown_optional_header():
    image = bytearray(build_pe())
    struct.pack_into("<H", image, 0x80 + 24, 0x107)

    assert refused(bytes(image)) == "malformed"


def test_cut_anywhere():
    image = build_pe([Entry(rsds()), Entry(mpdb(b"x" * 99), kind=17), Entry(misc("a.dbg"), kind=4)], flags=0x2222)
    whole = identified(image)

    for size in range(len(image)):
        found = survives(image[:size])
        assert found is None or found.ids == whole.ids
