"""Mach-O headers, slices of fat files and load commands, read in pieces. For `macho`; no format itself.

Field places are from Apple's `mach-o/loader.h` and `mach-o/fat.h`. A fat header is big-endian whatever its slices are.
What a table says is never trusted to lie in the file.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from symsrv.formats.base import Reader
from symsrv.model.errors import NotIdentified

FAT, FAT_64 = b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"
SLICES_LIMIT = 42
"""A Java class begins with CAFEBABE too; where a fat file counts its slices it has its version, at least 45."""

COMMANDS_LIMIT = 4096
MH_CORE, MH_DYLIB_STUB, MH_DSYM = 4, 9, 0xA
LC_SEGMENT, LC_SEGMENT_64, LC_UUID = 0x1, 0x19, 0x1B
LC_LOAD_DYLIB = 0xC
LOADED_COMMANDS = frozenset({LC_LOAD_DYLIB, 0x80000018, 0x8000001F, 0x20, 0x80000023})
"""LC_LOAD_DYLIB, and the same for weak, re-exported, lazy and upward libraries."""

_PIECE_BYTES = 4096
_FAT_ARCH, _FAT_ARCH_64 = struct.Struct(">5I"), struct.Struct(">IIQQII")
_SHAPES = {
    b"\xfe\xed\xfa\xce": (">", False),
    b"\xce\xfa\xed\xfe": ("<", False),
    b"\xfe\xed\xfa\xcf": (">", True),
    b"\xcf\xfa\xed\xfe": ("<", True),
}
MAGICS = frozenset(_SHAPES)

# mach/machine.h: the number of a processor; 0x01000000 says 64 bits, 0x02000000 that pointers have 32 of them.
_MACHINES = {
    6: "m68k",
    7: "x86",
    0x01000007: "x86_64",
    11: "hppa",
    12: "arm",
    0x0100000C: "arm64",
    0x0200000C: "arm64_32",
    14: "sparc",
    18: "ppc",
    0x01000012: "ppc64",
}
_SUBTYPES = {
    (0x01000007, 8): "x86_64h",
    (0x0100000C, 2): "arm64e",
    (12, 6): "armv6",
    (12, 7): "armv5",
    (12, 9): "armv7",
    (12, 10): "armv7f",
    (12, 11): "armv7s",
    (12, 12): "armv7k",
    (12, 13): "armv8",
    (12, 14): "armv6m",
    (12, 15): "armv7m",
    (12, 16): "armv7em",
}
_SUBTYPE_MASK = 0x00FFFFFF  # the highest byte has flags: LIB64, the version of pointer authentication


def macho_machine(number: int, subtype: int) -> str:
    """The word for a processor of Mach-O; what has none prints as a number."""
    return _SUBTYPES.get((number, subtype & _SUBTYPE_MASK)) or _MACHINES.get(number) or f"{number:#x}"


class Slice(NamedTuple):
    """One file in a fat file; a thin file is one slice from 0 to its end."""

    offset: int
    size: int
    machine: int
    subtype: int


class Command(NamedTuple):
    """A load command; `offset` is its place in the slice."""

    kind: int
    offset: int
    size: int


class Segment(NamedTuple):
    """A segment, as far as it matters here; its bytes lie in the slice."""

    name: bytes
    offset: int
    size: int


def fat_slices(data: Reader) -> tuple[Slice, ...]:
    """The slices that a fat header lists, wherever they lie."""
    shape = _FAT_ARCH_64 if data.at(0, 4) == FAT_64 else _FAT_ARCH
    count = int.from_bytes(data.at(4, 4), "big")
    if not count:
        raise NotIdentified("malformed", "a fat Mach-O file without a slice")
    if count > SLICES_LIMIT:
        raise NotIdentified("malformed", f"a fat Mach-O file of {count} slices; there are not so many processors")
    table = shape.iter_unpack(data.at(8, count * shape.size))
    return tuple(Slice(offset, size, machine, subtype) for machine, subtype, offset, size, *_ in table)


class MachoTables:
    """The header of one slice and its load commands, read as far as they are asked for."""

    def __init__(self, data: Reader, offset: int = 0, size: int | None = None) -> None:
        self.data = data
        self.offset = offset
        self.size = data.size - offset if size is None else size
        self._piece = b""
        self._piece_at = 0
        order, self.wide = self._shape()
        self._order = order
        header_size = 32 if self.wide else 28
        fields = struct.unpack(order + "6I", self._at(4, 24))
        self.machine, self.subtype, self.type, self.command_count, commands_size, _ = fields
        self._commands = header_size
        self._end = header_size + commands_size
        self.sound = self._end <= self.size
        """Whether the load commands fit the slice."""

    def _shape(self) -> tuple[str, bool]:
        magic = self._at(0, 4)
        if magic not in _SHAPES:
            if magic == b"!<ar":
                raise NotIdentified("no-id", "a static library: its object files have no LC_UUID")
            raise NotIdentified("malformed", "no Mach-O header where there should be one")
        return _SHAPES[magic]

    def _at(self, offset: int, size: int) -> bytes:
        """Exactly these bytes of the slice, from a piece that is kept."""
        if offset + size > self.size:
            raise NotIdentified(
                "truncated", f"a Mach-O file of {self.size} bytes whose headers point to {offset + size}"
            )
        start = offset - self._piece_at
        if start < 0 or start + size > len(self._piece):
            # The header's first read is short, so that small files need no more than the reader's front.
            length = max(size, min(_PIECE_BYTES if offset else 32, self.size - offset))
            self._piece, self._piece_at, start = self.data.at(self.offset + offset, length), offset, 0
        return self._piece[start : start + size]

    def commands(self) -> Iterator[Command]:
        """The load commands in their order, at most COMMANDS_LIMIT.

        Raises NotIdentified where one of them is broken: those before it were good.
        """
        at = self._commands
        if self.command_count > COMMANDS_LIMIT:
            raise NotIdentified("too-complex", f"a Mach-O file with {self.command_count} load commands")
        for _ in range(self.command_count):
            if at + 8 > self._end:
                raise NotIdentified("malformed", "its load commands are longer than its header says")
            kind, size = struct.unpack(self._order + "II", self._at(at, 8))
            if size < 8 or at + size > self._end:
                raise NotIdentified("malformed", f"a load command of {size} bytes")
            yield Command(kind, at, size)
            at += size

    def uuid(self, command: Command) -> bytes:
        """The 16 bytes of an LC_UUID, in the order of the file; none if it is too short for them."""
        return self._at(command.offset + 8, 16) if command.size >= 24 else b""

    def segment(self, command: Command) -> Segment | None:
        """Name and place of an LC_SEGMENT or LC_SEGMENT_64; None if it is too short to be one."""
        place, shape, size = (40, "QQ", 72) if command.kind == LC_SEGMENT_64 else (32, "II", 56)
        if command.size < size:
            return None
        fields = self._at(command.offset + 8, size - 8)
        offset, length = struct.unpack_from(self._order + shape, fields, place - 8)
        return Segment(fields[:16].rstrip(b"\0"), offset, length)

    def text(self, command: Command, limit: int) -> bytes:
        """The string of a command whose third word is its place (`union lc_str`), without its NUL; cut at `limit`."""
        if command.size < 12:
            return b""
        place = struct.unpack(self._order + "I", self._at(command.offset + 8, 4))[0]
        size = min(command.size - place, limit)
        return self._at(command.offset + place, size).split(b"\0", 1)[0] if place >= 12 and size > 0 else b""
