"""The memory that an ELF core holds, and the program images in it, read as if they were files."""

import struct
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from symsrv.formats.base import Reader
from symsrv.formats.structures.elf_notes import find_build_id
from symsrv.formats.structures.elf_tables import PT_LOAD, ElfTables
from symsrv.model.errors import NotIdentified

IMAGE_SEGMENTS_LIMIT = 128
IMAGE_BUDGET_BYTES = 1 << 17
FIRST_PAGES_BYTES = 1 << 16  # where the program headers of an image are looked for
DYNAMIC_LIMIT_BYTES = 1 << 12
NAME_LIMIT_BYTES = 255

_PT_DYNAMIC = 2
_PF_X = 1
_DT_STRTAB, _DT_SONAME = 5, 14
_PIECES_LIMIT = 8  # a read that is spread over more segments is not of a core that a system wrote


class Header(NamedTuple):
    """A program header. `held`: the bytes in the file; `size`: those in memory."""

    kind: int
    flags: int
    offset: int
    address: int
    held: int
    size: int


def program_headers(elf: ElfTables, limit: int) -> list[Header]:
    """At most the first `limit` program headers; none if they are not all in the file."""
    order = "<" if elf.little else ">"
    at = struct.unpack(order + ("Q" if elf.wide else "I"), elf.data.at(*((32, 8) if elf.wide else (28, 4))))[0]
    # Flags are the second field of 64-bit headers and the seventh of 32-bit ones (gABI, "Program Header").
    one = struct.Struct(order + ("IIQQ8xQQ8x" if elf.wide else "III4xIII4x"))
    table = one.iter_unpack(elf.window(at, min(elf.segment_count, limit) * one.size))
    if elf.wide:
        return [Header(*fields) for fields in table]
    return [Header(kind, flags, *places) for kind, *places, flags in table]


class Memory:
    """Addresses of the process, by the core's PT_LOAD segments; what the core does not have reads as zeros."""

    def __init__(self, data: Reader, loads: Sequence[Header]) -> None:
        self.data = data
        self._loads = sorted(loads, key=lambda one: one.address)
        self._starts = [one.address for one in self._loads]

    def load(self, address: int) -> Header | None:
        """The segment that has the address, whether or not its bytes are in the core."""
        index = bisect_right(self._starts, address) - 1
        found = self._loads[index] if index >= 0 else None
        return found if found and address < found.address + found.size else None

    def held(self, address: int) -> int:
        """How many bytes the core has from this address on, up to the end of its segment."""
        found = self.load(address)
        if found is None:
            return 0
        inside = address - found.address
        return max(0, min(found.held - inside, self.data.size - found.offset - inside))

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes."""
        found = b""
        for _ in range(_PIECES_LIMIT):
            load, ahead = self.load(address + len(found)), size - len(found)
            held = min(ahead, self.held(address + len(found)))
            if load is None or not held:
                break
            found += self.data.at(load.offset + address + len(found) - load.address, held)
        return found.ljust(size, b"\0")

    def text(self, address: int, limit: int) -> str:
        """The text up to its NUL; empty if that is not among the `limit` bytes from here on that the core has."""
        text, end, _ = self.read(address, min(limit, self.held(address))).partition(b"\0")
        return text.decode("utf-8", "replace") if end else ""

    def loads(self) -> Sequence[Header]:
        """The segments by address."""
        return self._loads


class Image(Reader):
    """A file as the process had mapped it, by the offsets of the file: `spans` are offset, address and size of each."""

    def __init__(self, memory: Memory, spans: Sequence[tuple[int, int, int]]) -> None:
        super().__init__(0, IMAGE_BUDGET_BYTES)
        self.memory = memory
        self.map(spans)

    def map(self, spans: Sequence[tuple[int, int, int]]) -> None:
        """Replaces the spans."""
        self.spans = sorted(spans)
        self.size = max((offset + size for offset, _, size in spans), default=0)

    def _fetch(self, offset: int, size: int) -> bytes:
        found = b""
        for start, address, length in self.spans:
            at = offset + len(found)
            if start <= at < start + length:
                wanted = min(size - len(found), start + length - at)
                if self.memory.held(address + at - start) < wanted:
                    break  # half an id is worse than none
                found += self.memory.read(address + at - start, wanted)
        return found


class ElfImage:
    """A mapped ELF file: where it ends, its build id and its name, as far as its pages are in the core."""

    def __init__(self, memory: Memory, base: int) -> None:
        self.memory = memory
        self.base = base
        self.end = base
        self.build_id: bytes | None = None
        self.soname = ""
        try:
            self._read(Image(memory, [(0, base, min(memory.held(base), FIRST_PAGES_BYTES))]))
        except NotIdentified:
            if memory.data.bytes_read > memory.data.budget:
                raise  # the core's budget, not this image's

    def _read(self, image: Image) -> None:
        elf = ElfTables(image)
        headers = program_headers(elf, IMAGE_SEGMENTS_LIMIT)
        loads = [one for one in headers if one.kind == PT_LOAD]
        if not loads:
            return
        shift = self.base - loads[0].address + loads[0].offset  # from the addresses in the file to those in memory
        image.map([(one.offset, shift + one.address, one.held) for one in loads])
        self.end = max(shift + one.address + one.size for one in loads)
        self.build_id = find_build_id(elf, ())
        dynamic = next((one for one in headers if one.kind == _PT_DYNAMIC), None)
        if dynamic is not None:
            self.soname = self._soname(elf, shift, dynamic)

    def _soname(self, elf: ElfTables, shift: int, dynamic: Header) -> str:
        """DT_SONAME. On most systems the loader has made DT_STRTAB an address in memory; nobody does so in the vdso."""
        entry = struct.Struct(("<" if elf.little else ">") + ("QQ" if elf.wide else "II"))
        size = min(dynamic.held, DYNAMIC_LIMIT_BYTES) // entry.size * entry.size
        values = dict(reversed(list(entry.iter_unpack(self.memory.read(shift + dynamic.address, size)))))
        names, name = values.get(_DT_STRTAB), values.get(_DT_SONAME)
        if names is None or name is None:
            return ""
        at = names if self.base <= names < self.end else shift + names
        return self.memory.text(at + name, NAME_LIMIT_BYTES)


def executable(header: Header | None) -> bool:
    """Whether the segment may be executed."""
    return header is not None and bool(header.flags & _PF_X)
