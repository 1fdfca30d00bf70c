"""What is in a file beside its ids: its sections, and the source files that it names or carries.

For debuginfod's `/buildid/<id>/section/<name>`, and for whoever looks into a file by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from symsrv.formats.base import Reader
from symsrv.formats.sources import pdb_sources, portable_sources
from symsrv.formats.sources.dwarf_lines import source_files
from symsrv.formats.sources.elf_sections import dwarf_of, is_compressed, named_sections
from symsrv.formats.structures.clr_metadata import MAGIC as PORTABLE_MAGIC
from symsrv.formats.structures.elf_tables import ET_CORE, MAGIC, SHF_COMPRESSED, ElfTables, Section
from symsrv.formats.structures.msf import MAGIC as PDB_MAGIC
from symsrv.formats.structures.msf import SMALL_MAGIC as PDB_2_MAGIC
from symsrv.formats.structures.msfz_container import MAGIC as MSFZ_MAGIC
from symsrv.model.errors import NotIdentified

CONTENTS_BUDGET_BYTES = 64 << 20
"""What a reader should allow for `contents`: line tables of large programs have tens of megabytes."""

_HEAD_BYTES = 64
_T = TypeVar("_T")
_RUN = 256  # section headers read at a time
_NAMES_LIMIT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a file.

    `sections`: name, size in the file and whether it is compressed. `sources`: the source files that the debug
    information names. `source_link` and `srcsrv`: the texts from which debuggers learn where to fetch sources.
    `embedded`: the source files that the file carries with it.
    """

    sections: tuple[tuple[str, int, bool], ...] = ()
    sources: tuple[str, ...] = ()
    source_link: str | None = None
    srcsrv: str | None = None
    embedded: tuple[str, ...] = ()

    def to_record(self) -> dict[str, Any]:
        """The contents as JSON has them; every field is there."""
        return {
            "sections": [{"name": name, "size": size, "compressed": packed} for name, size, packed in self.sections],
            "sources": list(self.sources),
            "source_link": self.source_link,
            "srcsrv": self.srcsrv,
            "embedded": list(self.embedded),
        }


@dataclass(frozen=True, slots=True)
class Span:
    """Where a section's bytes lie in the file. `compressed`: they begin with a compression header (SHF_COMPRESSED)."""

    offset: int
    size: int
    compressed: bool


def contents(data: Reader, name: str) -> Contents | None:
    """What is in a file, by its own bytes; None for what has nothing to list. `name` is its checked base name.

    Raises NotIdentified for a file whose headers are broken, and `too-complex` if even they are beyond the reader's
    budget; where source lists are beyond it, the lists are shorter.
    """
    head = data.up_to(0, _HEAD_BYTES)
    if head.startswith(MAGIC):
        return _elf_contents(data)
    if head.startswith(PORTABLE_MAGIC):
        return _portable_contents(data)
    if head.startswith((PDB_MAGIC, PDB_2_MAGIC, MSFZ_MAGIC)):
        return _pdb_contents(data)
    return None


def _elf_contents(data: Reader) -> Contents:
    elf = ElfTables(data)
    first: dict[str, tuple[int, Section]] = {}
    sections = []
    for index, name, one in named_sections(elf):
        first.setdefault(name, (index, one))
        sections.append((name, one.size, is_compressed(name, one)))
    dwarf = dwarf_of(elf, first)
    return Contents(tuple(sections), () if dwarf is None else source_files(dwarf))


def _pdb_contents(data: Reader) -> Contents:
    pdb_sources.named_streams(data)
    return Contents(
        source_link=_unless_broken(pdb_sources.source_link, data, None),
        srcsrv=_unless_broken(pdb_sources.srcsrv, data, None),
        embedded=_unless_broken(pdb_sources.embedded_sources, data, ()),
    )


def _portable_contents(data: Reader) -> Contents:
    return Contents(
        sources=portable_sources.documents(data),
        source_link=_unless_broken(portable_sources.source_link, data, None),
        embedded=_unless_broken(portable_sources.embedded_sources, data, ()),
    )


def _unless_broken(read: Callable[[Reader], _T], data: Reader, otherwise: _T) -> _T:
    """One part of the contents; where it cannot be read, the others still can."""
    try:
        return read(data)
    except NotIdentified:
        return otherwise


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
