"""Debug directories of PE images and `.dbg` files: their entries, and the debug files that CodeView entries name."""

import re
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from symsrv.formats.structures.guid import GUID_BYTES, breakpad_id, guid_text
from symsrv.formats.structures.pe_headers import DEBUG, Image
from symsrv.model.errors import BadName
from symsrv.model.ids import PORTABLE_AGE, SymbolId, debug_id, pe_id, uuid_id
from symsrv.model.names import base_name, checked_name

DEBUG_ENTRIES_LIMIT = 64
RECORD_LIMIT_BYTES = 2048

# Types of entries (PE specification, "Debug Type"; dotnet/runtime, PE-COFF.md for 16 and above).
COFF, CODEVIEW, MISC, EMBEDDED, CHECKSUM = 1, 2, 4, 17, 19

_ENTRY = struct.Struct("<4xI2xH4I")
ENTRY_BYTES = _ENTRY.size
_PORTABLE = 0x504D  # MinorVersion "PM" marks the CodeView entry of a portable PDB
_INSIDE = re.compile(rb"NB0[0-9]|NB11")
_ALGORITHM = re.compile(rb"[A-Za-z0-9-]{1,16}")
_CHECKSUM_LIMIT_BYTES = 64


class DebugEntry(NamedTuple):
    """One entry of a debug directory: `address` is relative to the image, `pointer` to the file."""

    stamp: int
    minor: int
    kind: int
    size: int
    address: int
    pointer: int

    @property
    def portable(self) -> bool:
        """Whether a CodeView entry is that of a portable PDB."""
        return self.minor == _PORTABLE


class CodeView(NamedTuple):
    """What a CodeView entry says of the debug file: its id in Breakpad's form, all its ids, and the path it had.

    A linker that knew no id wrote zeros; then there is only the path.
    """

    debug_id: str | None
    ids: tuple[SymbolId, ...]
    path: str | None
    portable: bool = False


class Linked(NamedTuple):
    """What the CodeView entries come to: the debug file that counts, every id, and what else is to be said."""

    debug_id: str | None
    debug_file: str | None
    also: tuple[SymbolId, ...]
    notes: tuple[str, ...]


def read_entries(table: bytes) -> list[DebugEntry]:
    """The entries of a debug directory, at most DEBUG_ENTRIES_LIMIT."""
    whole = min(len(table) // ENTRY_BYTES, DEBUG_ENTRIES_LIMIT) * ENTRY_BYTES
    return [DebugEntry._make(numbers) for numbers in _ENTRY.iter_unpack(table[:whole])]


def image_entries(image: Image) -> tuple[list[DebugEntry], list[str]]:
    """The debug directory of an image, and what was wrong with it."""
    place = image.directory(DEBUG)
    size = min(place[1] // ENTRY_BYTES, DEBUG_ENTRIES_LIMIT) * ENTRY_BYTES if place else 0
    if place is None or not size:
        return [], []
    table = image.mapped(place[0], size)
    return read_entries(table), [] if table else ["its debug directory lies outside the file"]


def image_record(image: Image, entry: DebugEntry) -> bytes:
    """The bytes of a CodeView record, as many as could matter; empty if there is none.

    PointerToRawData is what linkers fill in; images dumped from memory are right by address only.
    """
    size = min(entry.size, RECORD_LIMIT_BYTES)
    record = image.window(entry.pointer, size)
    return record if is_codeview(record) else image.mapped(entry.address, size)


def is_codeview(record: bytes) -> bool:
    """Whether bytes begin with the signature of a CodeView record."""
    return record[:4] in (b"RSDS", b"NB10", b"MTOC") or is_inside(record)


def is_inside(record: bytes) -> bool:
    """Whether a CodeView record is no link to a debug file but the debug information itself."""
    return bool(_INSIDE.match(record))


def linked(entries: Sequence[DebugEntry], record_of: Callable[[DebugEntry], bytes]) -> Linked:
    """Reads all CodeView entries; the first decides, as for symbolic, and the ids of all of them count.

    An image that was compiled ahead of time has two: the PDB of its native code, then that of its source.
    """
    found: list[CodeView] = []
    notes: list[str] = []
    for entry in entries:
        if entry.kind != CODEVIEW:
            continue
        record = record_of(entry)
        one = codeview(record, entry)
        if one is not None:
            found.append(one)
        elif is_inside(record):
            notes.append(f"its debug information ({record[:4].decode()}) is inside of it")
        else:
            notes.append("a CodeView entry of its debug directory is broken")
    if not found:
        return Linked(None, None, (), tuple(notes))
    debug_file, note = debug_name(found[0].path)
    if note:
        notes.append(note)
    if found[0].debug_id is None:
        notes.append(f"it names the debug file {debug_file or '?'} without an id")
    also: dict[SymbolId, None] = {}
    for one in found:
        also.update(dict.fromkeys(one.ids))
    for one in found[1:]:
        notes.append(f"it also names the PDB {debug_name(one.path)[0] or '?'} {one.debug_id or 'without an id'}")
    return Linked(found[0].debug_id, debug_file, tuple(also), tuple(notes))


def codeview(record: bytes, entry: DebugEntry) -> CodeView | None:
    """Reads a CodeView record; None if it is none, or if the debug information itself stands there (NB09…).

    - RSDS: GUID, age, path. The age of a portable PDB is always 1 there: clients ask with FFFFFFFF, and Breakpad's
      form has the entry's TimeDateStamp (dotnet/runtime, PE-COFF.md; symbolic's pe.rs).
    - NB10: offset, signature, age, path. Breakpad's form of a PDB 2.0 id is the signature and the age.
    - MTOC: the UUID of a Mach-O file, path; EDK II writes it into firmware.
    """
    kind = record[:4]
    if kind == b"RSDS" and len(record) >= 24:
        guid, age, path = guid_text(record[4:20]), int.from_bytes(record[20:24], "little"), text_before_nul(record[24:])
        if not any(record[4:20]):
            return CodeView(None, (), path, entry.portable)
        ages = (PORTABLE_AGE, entry.stamp) if entry.portable else (age,)
        ids = tuple(debug_id(guid, one) for one in ages)
        return CodeView(breakpad_id(guid, ages[-1]), ids, path, entry.portable)
    if kind == b"NB10" and len(record) >= 16:
        signature, age = struct.unpack_from("<II", record, 8)
        path = text_before_nul(record[16:])
        # EDK II fills in zeros when the debug file is an ELF file.
        return (
            CodeView(f"{signature:08X}{age:x}", (pe_id(signature, age),), path)
            if signature
            else CodeView(None, (), path)
        )
    if kind == b"MTOC" and len(record) >= 20:
        raw = record[4 : 4 + GUID_BYTES]
        return CodeView(breakpad_id(raw.hex(), 0), (uuid_id(raw),), text_before_nul(record[20:]))
    return None


def checksum_text(record: bytes) -> str | None:
    """The checksum of the PDB as .NET's tools send it (`SymbolChecksum: SHA256:…`); None if the record is broken.

    dotnet/runtime, PE-COFF.md, type 19: the algorithm's name, NUL, the checksum of the PDB with its id zeroed.
    """
    algorithm, nul, checksum = record.partition(b"\0")
    if not nul or not _ALGORITHM.fullmatch(algorithm) or not 0 < len(checksum) <= _CHECKSUM_LIMIT_BYTES:
        return None
    return f"{algorithm.decode()}:{checksum.hex()}"


def misc_name(record: bytes) -> str | None:
    """The file that an IMAGE_DEBUG_MISC record names: an image's `.dbg` file; None if it is none.

    winnt.h: data type (1: a name), size, one byte that says whether the name is UTF-16, three unused, the name.
    """
    if record[:4] != b"\1\0\0\0" or len(record) < 13:
        return None
    name = record[12:]
    return debug_name(name.decode("utf-16-le", "replace").split("\0", 1)[0] if record[8] else text_before_nul(name))[0]


def text_before_nul(raw: bytes) -> str | None:
    """A NUL-ended path; None if its bytes are no UTF-8 (old linkers wrote the code page of their machine)."""
    try:
        return raw.split(b"\0", 1)[0].decode()
    except UnicodeDecodeError:
        return None


def debug_name(path: str | None) -> tuple[str | None, str | None]:
    """The base name of the PDB if it can be a file name in a store; otherwise a note that says why not."""
    if path is None:
        return None, "the name of its PDB is not UTF-8"
    try:
        return checked_name(base_name(path)), None
    except BadName as error:
        return None, f"the name of its PDB: {error}"
