import struct

import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.structures.macho_tables import (
    COMMANDS_LIMIT,
    LC_LOAD_DYLIB,
    LC_SEGMENT_64,
    LC_UUID,
    SLICES_LIMIT,
    MachoTables,
    Slice,
    fat_slices,
    macho_machine,
)
from symsrv.model.errors import NotIdentified
from tests.made.macho_builder import UUID, build_fat, build_macho, filler, library, segment, uuid_command

EVERY_SHAPE = [(wide, order) for wide in (False, True) for order in "<>"]


def reason(call):
    with pytest.raises(NotIdentified) as caught:
        call()
    return caught.value.reason


@pytest.mark.parametrize(
    ("number", "subtype", "word"),
    [
        (7, 3, "x86"),
        (0x01000007, 0x80000003, "x86_64"),
        (0x01000007, 8, "x86_64h"),
        (0x0100000C, 0, "arm64"),
        (0x0100000C, 1, "arm64"),
        (0x0100000C, 0x80000002, "arm64e"),
        (0x0200000C, 1, "arm64_32"),
        (12, 9, "armv7"),
        (12, 11, "armv7s"),
        (12, 0, "arm"),
        (18, 0, "ppc"),
        (0x01000012, 0, "ppc64"),
        (0x7B, 0, "0x7b"),
    ],
)
def test_machine_words(number, subtype, word):
    assert macho_machine(number, subtype) == word


@pytest.mark.parametrize(("wide", "order"), EVERY_SHAPE)
def test_commands_in_their_order(wide, order):
    parts = (segment("__TEXT", 5, 7, wide=wide, order=order), uuid_command(order=order), library("/a", order=order))
    macho = MachoTables(BytesReader(build_macho(parts, wide=wide, order=order)))

    first, second, third = macho.commands()

    assert (macho.wide, macho.sound) == (wide, True)
    assert macho.segment(first) == (b"__TEXT", 5, 7)
    assert (second.kind, macho.uuid(second)) == (LC_UUID, UUID)
    assert (third.kind, macho.text(third, 100), macho.text(third, 1)) == (LC_LOAD_DYLIB, b"/a", b"/")


def test_commands_too_short_for_what_they_say():
    short = struct.pack("<II", LC_UUID, 16) + bytes(8), struct.pack("<II", LC_SEGMENT_64, 8), filler(8)
    macho = MachoTables(BytesReader(build_macho(short)))

    uuid, part, other = macho.commands()

    assert macho.uuid(uuid) == b""
    assert macho.segment(part) is None
    assert macho.text(other, 10) == b""


@pytest.mark.parametrize("place", [0, 11, 32, 0xFFFFFFFF])
def test_string_outside_its_command(place):
    data = bytearray(build_macho((library("/a"),)))
    struct.pack_into("<I", data, 32 + 8, place)
    macho = MachoTables(BytesReader(bytes(data)))

    assert [macho.text(one, 100) for one in macho.commands()] == [b""]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (build_macho((struct.pack("<II", 1, 4),)), "malformed"),
        (build_macho((struct.pack("<II", 1, 800),)), "malformed"),
        (build_macho(count=9), "malformed"),
        (build_macho(count=COMMANDS_LIMIT + 1), "too-complex"),
        (build_macho()[:60], "truncated"),
    ],
)
def test_broken_commands(data, expected):
    assert reason(lambda: list(MachoTables(BytesReader(data)).commands())) == expected


def test_not_a_header():
    assert reason(lambda: MachoTables(BytesReader(bytes(64)))) == "malformed"
    assert reason(lambda: MachoTables(BytesReader(b"!<arch>\n" + bytes(64)))) == "no-id"
    assert reason(lambda: MachoTables(BytesReader(build_macho()), 1 << 40)) == "truncated"


def test_commands_that_do_not_fit():
    assert not MachoTables(BytesReader(build_macho(commands_size=1 << 30))).sound


@pytest.mark.parametrize("wide", [False, True])
def test_fat_slices(wide):
    thin = build_macho()
    data = build_fat([(7, 3, thin), (12, 9, thin)], wide=wide)

    assert fat_slices(BytesReader(data)) == (Slice(4096, len(thin), 7, 3), Slice(8192, len(thin), 12, 9))


@pytest.mark.parametrize("magic", [b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"])
def test_numbers_of_slices_are_bounded(magic):
    def read(count):
        return lambda: fat_slices(BytesReader(magic + struct.pack(">I", count) + bytes(100)))

    assert reason(read(0)) == "malformed"
    assert reason(read(SLICES_LIMIT + 1)) == "malformed"
    assert reason(read(SLICES_LIMIT)) == "truncated"
