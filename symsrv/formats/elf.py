"""ELF: programs, libraries and their separate debug files. Known by the GNU build id, or else by Breakpad's hash."""

from collections.abc import Iterator

from symsrv.formats.base import Reader
from symsrv.formats.structures.elf_notes import SEGMENTS_LIMIT, find_build_id
from symsrv.formats.structures.elf_tables import (
    ET_CORE,
    ET_REL,
    MAGIC,
    PT_LOAD,
    SHF_ALLOC,
    SHT_PROGBITS,
    ElfTables,
    Section,
    SectionNames,
)
from symsrv.formats.structures.elf_text_id import TEXT_NAMES, text_ids
from symsrv.formats.structures.guid import GUID_BYTES, breakpad_id, guid_text
from symsrv.formats.structures.machines import elf_machine
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO, Identity
from symsrv.model.ids import SymbolId, build_id, debug_id

SECTIONS_LIMIT = 256  # of more, the first and the last half: notes come first, debug information comes last
NAMES_LIMIT_BYTES = 8192  # a longer table of names is read name by name
LINK_LIMIT_BYTES = 512

_NAME_BYTES = 20
_DEBUG = (b".debug_", b".zdebug_")
# Unwinding and pretty-printer data that `strip` leaves in a program: ARM libraries and Rust programs have them.
_NOT_DEBUG = (b".debug_frame\0", b".zdebug_frame\0", b".debug_gdb_scripts\0")
_PACKAGE = (b".debug_cu_index", b".debug_tu_index")
_SPLIT = b".dwo"
_NO_BUILD_ID = "it has no build id, so Breakpad's hash of its code is its id; link it with -Wl,--build-id"
_NO_ID = {
    "package": "a package of split DWARF without a build id: debuggers look for <program>.dwp beside the program",
    "split": "split DWARF without a build id: debuggers follow the path in the program's DW_AT_dwo_name; "
    "link it with -gno-split-dwarf, or keep a .dwp beside the program",
    "object": "an object file without a build id; link it with -Wl,--build-id",
    "debug": "a separate debug file without a build id: debuggers find it by its name alone (.gnu_debuglink); "
    "link its program with -Wl,--build-id",
    "code": "an ELF file without a build id, and without a .text to hash; link it with -Wl,--build-id",
}


class Elf:
    """Executable and Linkable Format, 32 and 64 bits, both byte orders."""

    name = "elf"

    def sniff(self, head: bytes) -> bool:
        """The four magic bytes."""
        return head[:4] == MAGIC

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The one file; `kind` says whether it has the code, the debug information or both."""
        elf = ElfTables(data)
        if elf.type == ET_CORE:
            raise NotIdentified("not-symbols", "a core dump: it is what symbols are needed for")
        sections = _sections(elf)
        notes = [] if elf.sound else ["its section headers lie outside the file"]
        raw = find_build_id(elf, sections)
        if raw is None and not elf.sound:
            raise NotIdentified("truncated", "an ELF file that ends before its own tables do")
        names = SectionNames(elf, NAMES_LIMIT_BYTES)
        kind = _kind(elf, sections, names)
        if raw is None:
            ids = _text_ids(elf, sections, names, kind)
            shown, also = ids[0], ids[1:]
            ids = ids[:1]
            notes.append(_NO_BUILD_ID)
        else:
            # Short build ids are filled with zeros. Breakpad's file_id.cc.
            also = _breakpad_ids(elf, raw[:GUID_BYTES].ljust(GUID_BYTES, b"\0"))
            ids, shown = (build_id(raw),), also[0]
        identity = Identity(
            format=self.name,
            kind=kind,
            name=name,
            ids=ids,
            arch=elf_machine(elf.machine, wide=elf.wide),
            code_id=raw.hex() if raw else None,
            debug_id=breakpad_id(shown.value[: 2 * GUID_BYTES], 0),
            build_id=raw.hex() if raw else None,
            symbol_kind="bin" if kind == CODE else "pri",
            notes=(*notes, *_links(elf, sections, names)),
            also=also,
        )
        return (identity,)


def _sections(elf: ElfTables) -> tuple[Section, ...]:
    if elf.section_count <= SECTIONS_LIMIT:
        return tuple(elf.sections(0, SECTIONS_LIMIT))
    half = SECTIONS_LIMIT // 2
    return (*elf.sections(0, half), *elf.sections(elf.section_count - half, half))


def _breakpad_ids(elf: ElfTables, *values: bytes) -> tuple[SymbolId, ...]:
    """The ids that Breakpad and symbolic make of 16 bytes; further values are other opinions on the bytes.

    Breakpad swaps the first fields by the order of the machine that runs it, in practice always; symbolic leaves
    them if the file is big-endian. Both add the age 0.
    """
    found = [debug_id(guid_text(one), 0) for one in values]
    if not elf.little:
        found.append(debug_id(values[0].hex(), 0))
    return tuple(dict.fromkeys(found))


def _text_ids(elf: ElfTables, sections: tuple[Section, ...], names: SectionNames, kind: str) -> tuple[SymbolId, ...]:
    """The ids of a linked file without a build id: symbolic's, and what others make of the same code.

    Raises NotIdentified(`no-id`) where there is no code to hash. Object files are left out: nothing loads them, and
    parts of one program would be filed by the hash of whatever function comes first.
    """
    text = _text(sections, names) if elf.type != ET_REL else None
    if text is None:
        raise NotIdentified("no-id", _NO_ID[_why_no_id(elf, sections, names, kind)])
    if text.offset + text.size > elf.data.size:
        raise NotIdentified("truncated", "an ELF file that ends before its own tables do")
    values = text_ids(elf.data, text.offset, text.size)
    if not any(values[0]):
        raise NotIdentified("no-id", _NO_ID["code"])
    return _breakpad_ids(elf, *values)


def _text(sections: tuple[Section, ...], names: SectionNames) -> Section | None:
    for wanted in TEXT_NAMES:
        for one in sections:
            if one.kind == SHT_PROGBITS and one.size and names.name(one, _NAME_BYTES) == wanted:
                return one
    return None


def _why_no_id(elf: ElfTables, sections: tuple[Section, ...], names: SectionNames, kind: str) -> str:
    if kind == DEBUG_INFO:
        found = [names.name(one, 2 * _NAME_BYTES) for one in sections if one.in_file]
        if any(one in _PACKAGE for one in found):
            return "package"
        if any(one.endswith(_SPLIT) for one in found):
            return "split"
    if elf.type == ET_REL:
        return "object"
    return "debug" if kind == DEBUG_INFO else "code"


def _kind(elf: ElfTables, sections: tuple[Section, ...], names: SectionNames) -> str:
    """Whether there is code, debug information, or both.

    Code: an allocated PROGBITS section with content, elfutils' debuginfod's rule; a separate debug file has them all
    as NOBITS. Without sections (or with a NULL one alone): a segment with content. Debug information: `_has_debug`.
    A file with neither was separated from a program that had none, so it counts as a debug file; so does dwz's common
    part of several debug files, which has a build id of its own.
    """
    if any(one.kind for one in sections):
        code = any(one.kind == SHT_PROGBITS and one.flags & SHF_ALLOC and one.size for one in sections)
    else:
        code = any(one.kind == PT_LOAD and one.size for one in elf.segments(SEGMENTS_LIMIT))
    debug = _has_debug(sections, names)
    if code:
        return BOTH if debug else CODE
    return DEBUG_INFO


def _has_debug(sections: tuple[Section, ...], names: SectionNames) -> bool:
    """Whether a section with content is named `.debug_…` or `.zdebug_…`, apart from those that `strip` leaves."""
    for section in reversed(sections):  # debug information comes last
        if section.flags & SHF_ALLOC or not section.in_file:  # MIPS has a section type of its own for DWARF
            continue
        name = names.start(section, _NAME_BYTES)
        if name.startswith(_DEBUG) and not name.startswith(_NOT_DEBUG):
            return True
    return False


def _links(elf: ElfTables, sections: tuple[Section, ...], names: SectionNames) -> Iterator[str]:
    """Notes on the files that this one names; only where its table of names is at hand.

    GDB's manual, "Separate Debug Files": `.gnu_debuglink` is a file name and a checksum, `.gnu_debugaltlink` a file
    name and the build id of what dwz moved out.
    """
    if not names.whole or b".gnu_debug" not in names.whole:
        return
    wanted = {names.whole.find(one + b"\0"): one for one in (b".gnu_debuglink", b".gnu_debugaltlink")}
    for section in sections:
        name = wanted.get(section.name_at)
        if name is None or not section.in_file:
            continue
        if section.offset + section.size > elf.data.size or section.size > LINK_LIMIT_BYTES:
            continue
        target, end, rest = elf.data.at(section.offset, section.size).partition(b"\0")
        if not target or not end:
            continue
        shown = target.decode("utf-8", "replace")
        if name == b".gnu_debuglink":
            yield f"its debug information is in {shown} (.gnu_debuglink)"
        else:
            yield f"it shares debug information with {shown}, build id {rest.hex()} (.gnu_debugaltlink)"
