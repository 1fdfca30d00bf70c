import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.structures.pe_headers import Image
from symsrv.formats.structures.pe_kinds import kind_notes, machine_word
from tests.formats.checks import identified, survives
from tests.made.pe_builder import (
    CLR,
    DATA,
    IMAGE_BASE,
    IMAGE_SIZE,
    LOAD_CONFIG,
    RESOURCES,
    RVA,
    build_pe,
    clr_header,
    load_config,
)


def image(**options):
    return Image(BytesReader(build_pe(**options)))


@pytest.mark.parametrize(
    ("machine", "wide", "word", "part"),
    [
        (0x8664, True, "arm64ec", "ARM64EC"),
        (0xAA64, True, "arm64x", "ARM64X"),
        (0x014C, False, "x86", "CHPE"),
    ],
)
def test_hybrids(machine, wide, word, part):
    # LLVM, COFFObjectFile::getMachine: the headers of a hybrid name one of its machines only.
    found, note = machine_word(image(machine=machine, wide=wide, others={LOAD_CONFIG: load_config(wide=wide)}))

    assert found == word
    assert part in note


@pytest.mark.parametrize("machine", [0x8664, 0xAA64])
def test_hybrid_is_identified_as_any_image(machine):
    plain = identified(build_pe(machine=machine))
    hybrid = identified(build_pe(machine=machine, others={LOAD_CONFIG: load_config()}))

    assert hybrid.ids == plain.ids
    assert hybrid.arch != plain.arch
    assert len(hybrid.notes) == 1


@pytest.mark.parametrize(
    "table",
    [
        load_config(chpe=0),
        load_config(chpe=IMAGE_BASE),
        load_config(chpe=IMAGE_BASE + IMAGE_SIZE),
        load_config(chpe=0x1234),
        load_config(size=207),
        load_config()[:207],
        b"",
    ],
)
def test_load_configurations_without_metadata(table):
    assert machine_word(image(others={LOAD_CONFIG: table})) == ("x86_64", None)


@pytest.mark.parametrize("machine", [0xA641, 0xA64E])
def test_machines_of_hybrids_in_the_headers(machine):
    assert machine_word(image(machine=machine))[0] in ("arm64ec", "arm64x")


@pytest.mark.parametrize("subsystem", [10, 11, 12, 13])
def test_firmware(subsystem):
    (note,) = kind_notes(image(subsystem=subsystem, machine=0xEBC, wide=False))

    assert "EFI" in note


@pytest.mark.parametrize(
    ("options", "notes"),
    [
        ({"section_flags": DATA}, ["it has no code, only resources"]),
        ({"section_flags": DATA, "entry_point": RVA}, []),
        ({}, []),
    ],
)
def test_resources_alone(options, notes):
    assert kind_notes(image(others={RESOURCES: b"res!"}, **options)) == notes


def test_without_code_and_without_resources_nothing_is_said():
    assert kind_notes(image(section_flags=DATA)) == []


@pytest.mark.parametrize(
    ("header", "machine", "note"),
    [
        (clr_header(), 0x14C, "a .NET assembly"),
        (clr_header(flags=0), 0x8664, "a mixed .NET assembly: native code beside IL"),
        (clr_header(flags=4, native=RVA), 0x8664, "a .NET assembly with ReadyToRun code"),
        (clr_header(flags=4, native=RVA), 0xFD1D, "a .NET assembly with ReadyToRun code for Linux on x86_64"),
        (clr_header(flags=4, native=RVA), 0xEC20, "a .NET assembly with ReadyToRun code for Apple on arm64"),
        (clr_header(flags=0, native=RVA + 4), 0x8664, "a native image of a .NET assembly (NGEN)"),
        (b"short", 0x8664, "its .NET header lies outside the file"),
    ],
)
def test_assemblies(header, machine, note):
    assert kind_notes(image(machine=machine, at_rva=b"RTR\0NGEN", others={CLR: header})) == [note]


def test_satellite_assembly_is_no_resource_library():
    found = kind_notes(image(section_flags=DATA, others={RESOURCES: b"res!", CLR: clr_header()}))

    assert found == ["a .NET assembly"]


def test_cut_anywhere():
    data = build_pe(at_rva=b"RTR\0", others={LOAD_CONFIG: load_config(), CLR: clr_header(native=RVA), RESOURCES: b"r"})

    for size in range(len(data)):
        survives(data[:size])
