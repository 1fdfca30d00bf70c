"""CLR tables of portable PDBs: rows and heaps, read page by page and never beyond the reader's budget."""

import struct
from collections.abc import Iterator

from symsrv.formats.base import Reader
from symsrv.formats.structures.clr_metadata import Span, pdb_stream, read_streams
from symsrv.formats.structures.guid import GUID_BYTES, guid_text
from symsrv.model.errors import NotIdentified

MODULE, METHOD = 0x00, 0x06
DOCUMENT, METHOD_DEBUG, LOCAL_SCOPE, LOCAL_VARIABLE, LOCAL_CONSTANT, IMPORT_SCOPE, STATE_MACHINE, CUSTOM = range(
    0x30, 0x38
)

# HasCustomDebugInformation (Portable PDB 1.0): which table a parent's tag stands for. Tags take five bits.
PARENTS = (
    *(0x06, 0x04, 0x01, 0x02, 0x08, 0x09, 0x0A, 0x00, 0x0E, 0x17, 0x14, 0x11, 0x1A, 0x1B, 0x20, 0x23, 0x26, 0x27),
    *(0x28, 0x2A, 0x2C, 0x2B, DOCUMENT, LOCAL_SCOPE, LOCAL_VARIABLE, LOCAL_CONSTANT, IMPORT_SCOPE),
)
PARENT_BITS = 5

_PAGE_BYTES = 4096
_TABLES_HEADER = struct.Struct("<6xBx2Q")  # HeapSizes, Valid, Sorted
_PDB_TABLES = struct.Struct("<Q")
_PDB_TABLES_AT = 24  # in #Pdb: behind the id (20 bytes) and the entry point (4)
_STRINGS_WIDE, _GUID_WIDE, _BLOB_WIDE, _EXTRA = 1, 2, 4, 0x40


class Tables:
    """The tables from Document (0x30) to CustomDebugInformation (0x37) and the heaps they point into.

    Raises NotIdentified from the start for what is no portable PDB. Layout: ECMA-335 II.24.2.6 and Portable PDB 1.0;
    how wide an index is depends on how many rows its table has, those of the program's tables stand in `#Pdb`.
    """

    def __init__(self, data: Reader) -> None:
        self.data = data
        self._pages: dict[int, bytes] = {}
        self._streams = read_streams(data)
        pdb = pdb_stream(self._streams)
        tables = self._streams.get("#~") or self._streams.get("#-")
        if tables is None:
            raise NotIdentified("malformed", "a portable PDB without tables")
        heaps, valid, self._sorted = _TABLES_HEADER.unpack(data.at(tables.offset, _TABLES_HEADER.size))
        if valid & (1 << DOCUMENT) - 1:
            raise NotIdentified("malformed", "a portable PDB with the tables of a program")
        (referenced,) = _PDB_TABLES.unpack(data.at(pdb.offset + _PDB_TABLES_AT, _PDB_TABLES.size))
        self.rows = _counts(data, pdb.offset + _PDB_TABLES_AT + _PDB_TABLES.size, referenced & (1 << DOCUMENT) - 1)
        at = tables.offset + _TABLES_HEADER.size
        self.rows |= _counts(data, at, valid)
        at += 4 * valid.bit_count() + (4 if heaps & _EXTRA else 0)
        self._widths = self._columns(heaps)
        self._starts: dict[int, int] = {}
        for table, widths in self._widths.items():
            self._starts[table] = at
            at += sum(widths) * self.rows.get(table, 0)

    def _columns(self, heaps: int) -> dict[int, tuple[int, ...]]:
        """How many bytes each column of each table takes."""
        text = 4 if heaps & _STRINGS_WIDE else 2
        guid = 4 if heaps & _GUID_WIDE else 2
        blob = 4 if heaps & _BLOB_WIDE else 2

        def index(table: int) -> int:
            return 4 if self.rows.get(table, 0) > 0xFFFF else 2

        most = max(self.rows.get(table, 0) for table in PARENTS)
        parent = 4 if most >= 1 << 16 - PARENT_BITS else 2
        scope = (index(METHOD), index(IMPORT_SCOPE), index(LOCAL_VARIABLE), index(LOCAL_CONSTANT), 4, 4)
        return {
            DOCUMENT: (blob, guid, blob, guid),
            METHOD_DEBUG: (index(DOCUMENT), blob),
            LOCAL_SCOPE: scope,
            LOCAL_VARIABLE: (2, 2, text),
            LOCAL_CONSTANT: (text, blob),
            IMPORT_SCOPE: (index(IMPORT_SCOPE), blob),
            STATE_MACHINE: (index(METHOD), index(METHOD)),
            CUSTOM: (parent, guid, blob),
        }

    def is_sorted(self, table: int) -> bool:
        """Whether the rows stand in the order of their first column (for CustomDebugInformation: the parent)."""
        return bool(self._sorted >> table & 1)

    def row(self, table: int, number: int) -> tuple[int, ...]:
        """The columns of a row; rows are numbered from 1."""
        widths = self._widths[table]
        if not 0 < number <= self.rows.get(table, 0):
            raise NotIdentified("malformed", f"row {number} of table {table:#x} is asked for and is not there")
        size = sum(widths)
        raw = self._read(self._starts[table] + size * (number - 1), size)
        return tuple(_numbers(raw, widths))

    def guid(self, number: int) -> str | None:
        """A GUID as it prints; 0 is none."""
        heap = self._streams.get("#GUID")
        if heap is None or not 0 < number <= heap.size // GUID_BYTES:
            return None
        return guid_text(self._read(heap.offset + GUID_BYTES * (number - 1), GUID_BYTES))

    def blob(self, at: int, limit: int) -> bytes:
        """The bytes of a blob (ECMA-335 II.24.2.4); raises NotIdentified if they are more than `limit`."""
        heap = self._streams.get("#Blob") or Span(0, 0)
        head = self._read(heap.offset + at, min(4, heap.size - at)) if at < heap.size else b""
        length, taken = compressed(head)
        if at + taken + length > heap.size:
            raise NotIdentified("malformed", "a blob leads out of its heap")
        if length > limit:
            raise NotIdentified("too-complex", f"a blob of {length} bytes; more than {limit} are not read")
        return self._read(heap.offset + at + taken, length)

    def _read(self, offset: int, size: int) -> bytes:
        """Bytes through pages that are kept: what is asked for again costs no budget."""
        if size > _PAGE_BYTES:
            return self.data.at(offset, size)
        page, at = divmod(offset, _PAGE_BYTES)
        found = self._page(page)[at : at + size]
        if len(found) < size and at + size > _PAGE_BYTES:
            found += self._page(page + 1)[: size - len(found)]
        # `at` raises for what lies behind the end of the file.
        return found if len(found) == size else self.data.at(offset, size)

    def _page(self, number: int) -> bytes:
        if number not in self._pages:
            self._pages[number] = self.data.up_to(number * _PAGE_BYTES, _PAGE_BYTES)
        return self._pages[number]


def _counts(data: Reader, at: int, present: int) -> dict[int, int]:
    """How many rows each table of a bit vector has."""
    tables = [table for table in range(64) if present >> table & 1]
    counts = struct.unpack(f"<{len(tables)}I", data.at(at, 4 * len(tables)))
    return dict(zip(tables, counts, strict=True))


def _numbers(raw: bytes, widths: tuple[int, ...]) -> Iterator[int]:
    at = 0
    for width in widths:
        yield int.from_bytes(raw[at : at + width], "little")
        at += width


def compressed(raw: bytes) -> tuple[int, int]:
    """A compressed unsigned number and how many bytes it takes: 1, 2 or 4, by its first bits (ECMA-335 II.23.2)."""
    first = raw[0] if raw else 0xFF
    size = 1 if first < 0x80 else 2 if first < 0xC0 else 4
    if first >= 0xE0 or len(raw) < size:
        raise NotIdentified("malformed", "a number of its heaps is cut or is none")
    mask = {1: 0x7F, 2: 0x3FFF, 4: 0x1FFFFFFF}[size]
    return int.from_bytes(raw[:size], "big") & mask, size
