import os
import struct
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader, FileReader
from symsrv.formats.macho import LIBRARIES_LIMIT, MachO, loaded_libraries, slices
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO
from symsrv.model.ids import UUID as UUID_KIND
from tests.formats.checks import ARCH_WORDS, needs_symbolic
from tests.made import corpus, zig
from tests.made.macho_builder import (
    ARM,
    ARM64,
    BUNDLE,
    CORE,
    DSYM,
    DYLIB,
    EXECUTE,
    OTHER_UUID,
    PPC,
    STUB,
    UUID,
    X86_64,
    build_fat,
    build_macho,
    fat_arch,
    filler,
    library,
    segment,
    uuid_command,
)

REFUSED = {
    "broken/fat-cut-in-archs": "truncated",
    "broken/macho-cut-in-loadcmds": "truncated",
    "broken/macho-invalid-symbols.fuzzed": "malformed",
    "macho/clang-amd64-darwin.obj": "no-id",
    "macho/hello_world_fat_archives": "no-id",
}
EVERY_SHAPE = [(wide, order) for wide in (False, True) for order in "<>"]
TEXT = segment("__TEXT", 0, 16)
DWARF = segment("__DWARF", 0, 16)
OTHER = build_macho((TEXT, uuid_command(OTHER_UUID)), machine=ARM64, subtype=0)
FAT = build_fat([(X86_64, 3, build_macho()), (ARM64, 0, OTHER)])
IDS = [UUID.hex(), OTHER_UUID.hex()]
NO_UUID = build_macho((TEXT,))
relaxed = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def identities(data):
    return MachO().identify(BytesReader(data), "made")


def identified(data):
    (found,) = identities(data)
    return found


def refused(data):
    with pytest.raises(NotIdentified) as caught:
        identities(data)
    assert str(caught.value)
    return caught.value.reason


def survives(data):
    """The ids of what is found, within the budget; none if it is refused."""
    reader = BytesReader(data)
    try:
        found = MachO().identify(reader, "made") if MachO().sniff(data[:64]) else ()
        for one in slices(reader):
            loaded_libraries(reader, one.offset)
    except NotIdentified:
        found = ()
    assert reader.bytes_read <= 2 * reader.budget
    return [one.ids[0].value for one in found]


@pytest.mark.parametrize("entry", corpus.entries("macho", "fat"))
def test_corpus(entry):
    if entry.where in REFUSED:
        assert refused(entry.path.read_bytes()) == REFUSED[entry.where]
        return
    with entry.path.open("rb") as file:
        reader = FileReader(file.fileno())
        found = MachO().identify(reader, entry.name)

    expected = entry.expected["uuids"]
    words = {**ARCH_WORDS, "i386": "x86"}
    assert [one.debug_id for one in found] == [one["debug_id"] for one in expected]
    assert [one.code_id for one in found] == [one["uuid"] for one in expected]
    assert [one.arch for one in found] == [words.get(one["arch"], one["arch"]) for one in expected]
    assert [one.ids[0].value for one in found] == [one["uuid"] for one in expected]
    assert reader.bytes_read < 65536
    # .NET's tools ask for nothing but the symbols of a dSYM file.
    dsym = all("mach-uuid-sym-" in one["key"] for one in entry.keys)
    assert {one.kind for one in found} == {DEBUG_INFO if dsym else CODE}
    assert not any(one.notes for one in found)


@pytest.mark.parametrize("arch", zig.MACHO_TARGETS)
def test_linked_libraries(arch):
    path = zig.macho(arch)
    with path.open("rb") as file:
        (found,) = MachO().identify(FileReader(file.fileno()), path.name)

    assert (found.format, found.kind, found.arch, found.symbol_kind) == ("macho", CODE, arch, "bin")
    assert [(one.kind, one.value) for one in found.ids] == [(UUID_KIND, found.code_id)]
    assert found.debug_id == found.code_id.upper() + "0"
    assert path.read_bytes().count(bytes.fromhex(found.code_id)) == 1


@needs_symbolic
@pytest.mark.parametrize("arch", zig.MACHO_TARGETS)
def test_linked_libraries_as_symbolic_reads_them(arch):
    as_symbolic(zig.macho(arch))


@needs_symbolic
@pytest.mark.parametrize("entry", corpus.entries("macho", "fat"))
def test_corpus_as_symbolic_reads_it(entry):
    if entry.where not in REFUSED:
        as_symbolic(entry.path)


def as_symbolic(path):
    symbolic = pytest.importorskip("symbolic.debuginfo")
    others = list(symbolic.Archive.open(str(path)).iter_objects())

    found = identities(path.read_bytes())

    assert [one.code_id for one in found] == [one.code_id for one in others]
    assert [one.debug_id for one in found] == [one.debug_id.replace("-", "").upper() + "0" for one in others]
    assert [one.arch for one in found] == [one.arch for one in others]


@pytest.mark.parametrize(("wide", "order"), EVERY_SHAPE)
def test_every_shape(wide, order):
    found = identified(build_macho(wide=wide, order=order, machine=PPC, subtype=0))

    assert [(one.kind, one.value) for one in found.ids] == [(UUID_KIND, UUID.hex())]
    assert found.debug_id == "67E9247C814E392BA027DBDE6748FCBF0"
    assert (found.code_id, found.build_id, found.arch, found.notes) == (UUID.hex(), None, "ppc", ())


@pytest.mark.parametrize(
    ("file_type", "commands", "kind", "column"),
    [
        (EXECUTE, (TEXT, uuid_command()), CODE, "bin"),
        (BUNDLE, (TEXT, uuid_command()), CODE, "bin"),
        (DYLIB, (TEXT, DWARF, uuid_command()), BOTH, "pri"),
        (DYLIB, (TEXT, uuid_command(), DWARF), BOTH, "pri"),
        (DYLIB, (TEXT, segment("__DWARF", 0, 0), uuid_command()), CODE, "bin"),
        (DSYM, (uuid_command(), TEXT, DWARF), DEBUG_INFO, "pri"),
        (DSYM, (uuid_command(),), DEBUG_INFO, "pri"),
    ],
)
def test_kind(file_type, commands, kind, column):
    found = identified(build_macho(commands, file_type=file_type))

    assert (found.kind, found.symbol_kind) == (kind, column)


@pytest.mark.parametrize("file_type", [CORE, STUB])
def test_what_has_no_symbols(file_type):
    assert refused(build_macho(file_type=file_type)) == "not-symbols"


@pytest.mark.parametrize("commands", [(TEXT,), (), (TEXT, uuid_command(bytes(16))), (TEXT, uuid_command(UUID[:8]))])
def test_no_uuid(commands):
    assert refused(build_macho(commands)) == "no-id"


def test_first_uuid_counts():
    assert identified(build_macho((uuid_command(), uuid_command(OTHER_UUID)))).code_id == UUID.hex()


def test_id_before_a_broken_load_command():
    found = identified(build_macho((uuid_command(), struct.pack("<II", 1, 4))))

    assert found.code_id == UUID.hex()
    assert found.notes


def test_segments_outside_the_file_are_noted():
    assert identified(build_macho((segment("__TEXT", 0, 1 << 40), uuid_command()))).notes


def test_uuid_behind_many_load_commands():
    data = build_macho((*(filler(72) for _ in range(2000)), uuid_command()))

    assert identified(data).code_id == UUID.hex()


def test_thousands_of_load_commands_stay_below_64_kib():
    commands = (TEXT, uuid_command(), *(library(f"/usr/lib/lib{index:0100}.dylib") for index in range(4000)))
    reader = BytesReader(build_fat([(X86_64, 3, build_macho(commands)), (ARM64, 0, build_macho(commands))]))

    MachO().identify(reader, "made")

    assert reader.bytes_read < 65536


@pytest.mark.parametrize("wide", [False, True])
def test_one_identity_for_each_slice(wide):
    found = identities(build_fat([(X86_64, 3, build_macho()), (ARM64, 0, OTHER)], wide=wide))

    assert [(one.arch, one.code_id, one.name) for one in found] == [
        ("x86_64", IDS[0], "made"),
        ("arm64", IDS[1], "made"),
    ]
    assert not any(one.notes for one in found)


def test_slices_of_both_byte_orders():
    ppc = build_macho((uuid_command(OTHER_UUID, order=">"),), wide=False, order=">", machine=PPC, subtype=0)

    assert [one.arch for one in identities(build_fat([(PPC, 0, ppc), (X86_64, 3, build_macho())]))] == ["ppc", "x86_64"]


@pytest.mark.parametrize("bad", [NO_UUID, b"!<arch>\n" + bytes(100), bytes(100), build_macho(file_type=CORE), b""])
def test_slices_without_uuid_are_noted(bad):
    (found,) = identities(build_fat([(ARM, 9, bad), (X86_64, 3, build_macho())]))

    assert (found.arch, found.code_id) == ("x86_64", UUID.hex())
    assert found.notes[0].startswith("its slice for armv7: ")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ((NO_UUID, NO_UUID), "no-id"),
        ((b"!<arch>\n", b"!<arch>\n"), "no-id"),
        ((NO_UUID, build_macho()[:40]), "truncated"),
        ((NO_UUID, build_macho(file_type=CORE)), "not-symbols"),
    ],
)
def test_fat_file_without_any_uuid(bad, reason):
    assert refused(build_fat([(X86_64, 3, one) for one in bad])) == reason


def test_slice_outside_the_file():
    assert [one.code_id for one in identities(fat_arch(FAT, 1, offset=1 << 31))] == IDS[:1]
    assert [one.code_id for one in identities(fat_arch(FAT, 0, size=1 << 31))] == IDS[1:]
    assert refused(FAT[:4096]) == "truncated"


def test_slices_that_overlap():
    found = identities(fat_arch(FAT, 0, size=5000))
    twice = identities(fat_arch(FAT, 1, offset=4096, size=len(build_macho())))

    assert [one.code_id for one in found] == IDS
    assert found[0].notes == ("its slices overlap",)
    assert [one.code_id for one in twice] == IDS[:1]


def test_slice_that_is_the_fat_file_itself():
    assert refused(fat_arch(build_fat([(X86_64, 3, build_macho())]), 0, offset=0)) == "malformed"


@pytest.mark.parametrize("version", [b"\0\0\0\x3d", b"\0\3\0\x2d", b"\xff\xff\0\x41"])
def test_java_classes_are_no_fat_files(version):
    assert not MachO().sniff(b"\xca\xfe\xba\xbe" + version + bytes(56))
    assert MachO().sniff(FAT[:64])


@pytest.mark.skipif(sys.platform == "win32", reason="NTFS would write gigabytes of zeros")
def test_slice_beyond_4_gib(tmp_path):
    path, far = tmp_path / "fat64", 5 << 30
    thin = build_macho()
    with path.open("wb") as file:
        table = struct.pack(">IIQQII", X86_64, 3, 4096, len(thin), 12, 0)
        table += struct.pack(">IIQQII", ARM64, 0, far, len(OTHER), 12, 0)
        file.write(struct.pack(">II", 0xCAFEBABF, 2) + table)
        file.seek(4096)
        file.write(thin)
        os.truncate(path, far)
        file.seek(far)
        file.write(OTHER)
    with path.open("rb") as file:
        reader = FileReader(file.fileno())
        found = MachO().identify(reader, "fat64")

    assert [one.code_id for one in found] == IDS
    assert reader.bytes_read < 65536


@pytest.mark.parametrize("order", ["<", ">"])
def test_loaded_libraries(order):
    kinds = (0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023)
    commands = [library(f"@rpath/lib{kind:x}.dylib", kind=kind, order=order) for kind in kinds]
    own = library("@rpath/libown.dylib", kind=0xD, order=order)  # LC_ID_DYLIB: what it is itself called
    data = BytesReader(build_macho((own, *commands, commands[0]), order=order))

    assert loaded_libraries(data) == tuple(f"@rpath/lib{kind:x}.dylib" for kind in kinds)


def test_loaded_libraries_of_a_slice():
    part = build_macho((library("/usr/lib/libé.dylib"), uuid_command()))
    data = BytesReader(build_fat([(X86_64, 3, build_macho()), (ARM64, 0, part)]))

    assert [loaded_libraries(data, one.offset) for one in slices(data)] == [(), ("/usr/lib/libé.dylib",)]


def test_loaded_libraries_are_bounded():
    parts = [library(f"/{index}") for index in range(LIBRARIES_LIMIT + 50)]

    assert len(loaded_libraries(BytesReader(build_macho(parts)))) == LIBRARIES_LIMIT
    assert loaded_libraries(BytesReader(build_macho((*parts[:3], struct.pack("<II", 1, 4))))) == ("/0", "/1", "/2")
    with pytest.raises(NotIdentified):
        loaded_libraries(BytesReader(bytes(64)))


def test_slices_of_other_files():
    assert slices(BytesReader(build_macho()))[0].size == len(build_macho())
    assert slices(BytesReader(fat_arch(FAT, 1, offset=1 << 31))) == slices(BytesReader(FAT))[:1]
    for data in (b"", b"MZ", b"\xca\xfe\xba\xbe\0\0\0\x3d" + bytes(99)):
        assert slices(BytesReader(data)) == ()


@pytest.mark.parametrize("data", [build_macho((TEXT, DWARF, uuid_command(), library("/a"))), FAT[:9000]])
def test_cut_anywhere(data):
    whole = survives(data)
    for size in range(len(data)):
        assert set(survives(data[:size])) <= set(whole)


@relaxed
@given(data=st.data())
def test_flipped_bytes(data):
    sample = bytearray(data.draw(st.sampled_from([FAT, build_macho((TEXT, DWARF, uuid_command(), library("/a")))])))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.one_of(st.integers(0, 200), st.integers(0, len(sample) - 5)))
        value = data.draw(st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFF]))
        sample[at : at + data.draw(st.sampled_from([1, 4]))] = bytes([value])
    survives(bytes(sample))
