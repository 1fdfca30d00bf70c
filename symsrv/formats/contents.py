"""Sections of ELF files, for debuginfod's `/buildid/<id>/section/<name>`."""

from dataclasses import dataclass

from symsrv.formats.base import Reader
from symsrv.formats.elf_tables import ET_CORE, MAGIC, SHF_COMPRESSED, ElfTables

_RUN = 256  # section headers read at a time
_NAMES_LIMIT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Span:
    """Where a section's bytes lie in the file. `compressed`: they begin with a compression header (SHF_COMPRESSED)."""

    offset: int
    size: int
    compressed: bool


def section(data: Reader, name: str) -> Span | None:
    """The raw bytes of an ELF file's first section of this name; None if it has none or it is not in this file.

    Bytes are served as they are, compressed ones too: debuginfod's manual says "raw binary contents of the section",
    and it reads them with elf_rawdata. NOBITS is absent, so that the asker can go on to the executable. Raises
    NotIdentified for a broken file, and `too-complex` beyond the reader's budget.
    """
    if data.up_to(0, 4) != MAGIC:
        return None
    elf = ElfTables(data)
    names = elf.names() if elf.type != ET_CORE else None
    wanted = name.encode("utf-8", "surrogatepass") + b"\0"
    if names is None or b"\0" in wanted[:-1]:
        return None
    table = data.at(names.offset, names.size) if names.size <= _NAMES_LIMIT_BYTES else None
    for first in range(0, elf.section_count, _RUN):
        headers = list(elf.sections(first, _RUN))
        if not headers:
            return None  # the table leads outside the file
        for one in headers:
            at, end = one.name_at, one.name_at + len(wanted)
            found = elf.name(names, one, len(wanted)) if table is None else table[at:end]
            if found == wanted:
                inside = one.in_file and one.offset + one.size <= data.size
                return Span(one.offset, one.size, bool(one.flags & SHF_COMPRESSED)) if inside else None
    return None
