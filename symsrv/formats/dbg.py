"""DBG files: debug information of the years before PDBs, split off from its image. Known by the image's ids."""

import struct

from symsrv.formats.base import Reader
from symsrv.formats.structures.machines import coff_machine
from symsrv.formats.structures.pe_debug import (
    CODEVIEW,
    COFF,
    DEBUG_ENTRIES_LIMIT,
    ENTRY_BYTES,
    RECORD_LIMIT_BYTES,
    DebugEntry,
    is_inside,
    linked,
    read_entries,
)
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import DEBUG_INFO, Identity
from symsrv.model.ids import pe_id, printed

_MAGIC = b"DI"
_HEADER = struct.Struct("<2sHH2xI8x4I12x")  # IMAGE_SEPARATE_DEBUG_HEADER, winnt.h
_SECTION_BYTES = 40
_MISMATCH = 0x8000
_COFF_HEADER = struct.Struct("<8xI")  # IMAGE_COFF_SYMBOLS_HEADER: NumberOfLinenumbers


class Dbg:
    """Separate debug headers, as rebase.exe and binplace.exe split them off, until Windows 2000."""

    name = "dbg"

    def sniff(self, head: bytes) -> bool:
        """`DI` is two letters only, so the machine must be one that there is."""
        machine = coff_machine(int.from_bytes(head[4:6], "little")) if len(head) >= 6 else None
        return head[:2] == _MAGIC and machine is not None and not machine.startswith("0x")

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The stamp and the size of the image that it was split off from; a broken debug directory is only noted."""
        _, flags, machine, stamp, image_size, sections, names_size, size = _HEADER.unpack(data.at(0, _HEADER.size))
        if not image_size:
            raise NotIdentified("no-id", "a DBG file that does not say how large its image is")
        at = _HEADER.size + _SECTION_BYTES * sections + names_size
        size = min(size // ENTRY_BYTES, DEBUG_ENTRIES_LIMIT) * ENTRY_BYTES
        notes = ["it was changed apart from its image"] if flags & _MISMATCH else []
        if at + size <= data.size:
            entries = read_entries(data.at(at, size))
        else:
            entries = []
            notes.append("its debug directory lies outside the file")
        records = {one: _record(data, one) for one in entries if one.kind in (CODEVIEW, COFF)}
        pdb = linked([one for one in entries if not is_inside(records.get(one, b""))], lambda one: records[one])
        symbol_id = pe_id(stamp, image_size)
        identity = Identity(
            format=self.name,
            kind=DEBUG_INFO,
            name=name,
            ids=(symbol_id,),
            arch=coff_machine(machine),
            code_id=printed(symbol_id),
            debug_id=pdb.debug_id,
            debug_file=pdb.debug_file,
            symbol_kind="pri" if any(_has_lines(one.kind, record) for one, record in records.items()) else "pub",
            notes=(*notes, *pdb.notes),
            also=pdb.also,
        )
        return (identity,)


def _record(data: Reader, entry: DebugEntry) -> bytes:
    """The bytes of an entry, as many as could matter; empty if they are not in the file."""
    size = min(entry.size, RECORD_LIMIT_BYTES)
    return data.at(entry.pointer, size) if entry.pointer + size <= data.size else b""


def _has_lines(kind: int, record: bytes) -> bool:
    """Whether it has private symbols: CodeView's own tables, or COFF line numbers; exports alone are public ones."""
    if kind == CODEVIEW:
        return is_inside(record)
    return len(record) >= _COFF_HEADER.size and _COFF_HEADER.unpack_from(record)[0] > 0
