"""ELF cores: which programs and libraries a process had loaded, and their build ids.

As gdb and eu-unstrip do, but from the core alone: NT_FILE names the mapped files, NT_AUXV tells where the program and
the vdso are. The build id is read from the pages of each file that the core has: the first one, where linkers place its
note, is there unless the process changed its filter (core(5), coredump_filter, bit 4).
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from symsrv.formats.base import Reader
from symsrv.formats.loading.elf_core_memory import ElfImage, Header, Image, Memory, executable, program_headers
from symsrv.formats.loading.elf_core_notes import (
    AT_ENTRY,
    AT_EXECFN,
    AT_PHDR,
    AT_SYSINFO_EHDR,
    CoreNotes,
    Mapping,
    read_notes,
)
from symsrv.formats.loading.loaded import elf_module, identity_module
from symsrv.formats.pe import Pe
from symsrv.formats.structures.elf_tables import ET_CORE, MAGIC, PT_LOAD, PT_NOTE, ElfTables
from symsrv.model.errors import NotIdentified
from symsrv.model.modules import Module

SEGMENTS_LIMIT = 1 << 17
PATH_LIMIT_BYTES = 4096

VDSO = "[vdso]"  # as /proc/<pid>/maps has it; used if it does not say its own name

_MZ = b"MZ"


def is_core(head: bytes) -> bool:
    """Whether a file that begins so is an ELF core."""
    kind = head[16:18] if head[5:6] == b"\1" else head[17:15:-1]
    return head[:4] == MAGIC and kind == bytes((ET_CORE, 0))


def core_modules(data: Reader) -> Iterator[Module]:
    """The loaded files: the program first, the others by address.

    Raises NotIdentified for what is no core, and for one that tells of no loaded file.
    """
    elf = ElfTables(data)
    if elf.type != ET_CORE:
        raise NotIdentified("unknown-format", "an ELF file, but no core")
    if elf.segment_count > SEGMENTS_LIMIT:
        raise NotIdentified("too-complex", f"a core of {elf.segment_count} segments; symsrv looks at {SEGMENTS_LIMIT}")
    headers = program_headers(elf, SEGMENTS_LIMIT)
    if not headers:
        raise NotIdentified("truncated", "a core that ends before its program headers do")
    memory = Memory(data, [one for one in headers if one.kind == PT_LOAD])
    notes = read_notes(elf, [one for one in headers if one.kind == PT_NOTE])
    found = _named(notes.files, memory)
    found += _unnamed(notes, memory)
    found.sort(key=lambda one: one.base)
    program = memory.text(notes.auxv.get(AT_EXECFN, 0), PATH_LIMIT_BYTES) or notes.program
    main = _main(found, notes)
    if main is not None:
        main.path = main.path or program
        yield main.module()
    elif program:
        yield elf_module(program, None)
    elif not found:
        raise NotIdentified("malformed", "a core that tells of no loaded file")
    yield from (one.module() for one in found if one is not main)


class _Loaded:
    """The mappings of one file, and its image, if the core has its first page."""

    def __init__(self, memory: Memory, base: int, end: int, path: str) -> None:
        self.memory = memory
        self.path = path
        self.base = base
        self.end = end
        self.fallback = ""
        self.spans: list[tuple[int, int, int]] = []
        self.executable = False
        self.head = memory.read(base, 4) if memory.held(base) >= 4 else b""
        self.image = ElfImage(memory, base) if self.head == MAGIC else None

    def add(self, start: int, end: int, offset: int) -> None:
        """One more mapping."""
        self.end = max(self.end, end)
        self.executable = self.executable or executable(self.memory.load(start))
        self.spans.append((offset, start, max(0, end - start)))

    def holds(self, address: int) -> bool:
        """Whether the address is the file's, by its mappings or by its own headers, which count what is not mapped too.

        Without the headers, a mapping that follows without a gap is taken for another segment.
        """
        return self.base <= address < max(self.end, self.image.end) if self.image else self.base <= address <= self.end

    def loaded(self) -> bool:
        """Whether it is a program: by its first bytes, or, if the core lacks them, by pages that may be executed."""
        return self.image is not None or (self.executable if not self.head else self.head[:2] == _MZ)

    def module(self) -> Module:
        """The file, with the ids that its pages tell. .NET maps its PE files whole or by section, on Linux too."""
        size = self.end - self.base
        if self.head[:2] == _MZ:
            try:
                (identity,) = Pe().identify(Image(self.memory, self.spans), "mapped.dll")
                return identity_module(identity, self.path, base=self.base, size=size)
            except NotIdentified:
                if self.memory.data.bytes_read > self.memory.data.budget:
                    raise
        path = self.path or (self.image.soname if self.image else "") or self.fallback
        return elf_module(path, self.image.build_id if self.image else None, base=self.base, size=size)


def _named(files: list[Mapping], memory: Memory) -> list[_Loaded]:
    """One for each loaded file of NT_FILE.

    A file begins where its first page is mapped, or where the core has an ELF header: Android maps libraries out of the
    middle of an .apk. Further mappings of the path belong to it; so does its first page once more below its own end,
    as the data segment of a file smaller than a page has it.
    """
    found: list[_Loaded] = []
    last: dict[str, _Loaded] = {}
    for start, end, offset, path in files:
        known = last.get(path)
        inside = known is not None and known.holds(start)
        begins = offset == 0 or (memory.held(start) >= 4 and memory.read(start, 4) == MAGIC)
        if known is None or (begins and not inside):
            if not begins:
                continue
            known = last[path] = _Loaded(memory, start, end, path)
            found.append(known)
        known.add(start, end, offset)
    # A program that reads a library as data maps it a second time, in one piece.
    whole = {one.path for one in found if len(one.spans) > 1}
    return [one for one in found if one.loaded() and (len(one.spans) > 1 or one.path not in whole)]


def _unnamed(notes: CoreNotes, memory: Memory) -> list[_Loaded]:
    """ELF images that no file is named for: the vdso, and in cores without NT_FILE every image."""
    vdso = notes.auxv.get(AT_SYSINFO_EHDR)
    places: dict[int, Header] = {one.address: one for one in memory.loads() if one.held >= 4}
    if vdso is not None and (load := memory.load(vdso)) is not None:
        places[vdso] = load
    files = sorted(notes.files)
    starts = [start for start, *_ in files]
    ends = list(accumulate((end for _, end, *_ in files), max))
    found: list[_Loaded] = []
    for base, load in places.items():
        before = bisect_right(starts, base)
        if (before and base < ends[before - 1]) or memory.held(base) < 4 or memory.read(base, 4) != MAGIC:
            continue
        one = _Loaded(memory, base, load.address + load.size, "")
        one.fallback = VDSO if base == vdso else ""
        if one.image is not None and base != vdso:
            one.end = max(one.end, one.image.end)
        found.append(one)
    return found


def _main(found: list[_Loaded], notes: CoreNotes) -> _Loaded | None:
    """The program: where its program headers or its entry point are."""
    for key in (AT_PHDR, AT_ENTRY):
        address = notes.auxv.get(key, -1)
        for one in found:
            if one.base <= address < one.end or (one.image is not None and one.holds(address)):
                return one
    return None
