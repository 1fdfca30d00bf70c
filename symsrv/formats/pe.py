"""PE images: exe, dll, sys, efi and all others with a `PE` header. Known by TimeDateStamp and SizeOfImage."""

import struct
from dataclasses import dataclass

from symsrv.formats.base import Reader
from symsrv.formats.guid import breakpad_id, guid_text
from symsrv.formats.machines import coff_machine
from symsrv.model.errors import BadName, NotIdentified
from symsrv.model.identity import CODE, Identity
from symsrv.model.ids import pe_id, printed
from symsrv.model.names import base_name, checked_name

SECTIONS_LIMIT = 512  # more are not looked through; Windows itself loads 96
DEBUG_ENTRIES_LIMIT = 64
RECORD_LIMIT_BYTES = 2048

_PE = b"PE\0\0"
_PE32, _PE32_PLUS = 0x10B, 0x20B
_DEBUG_DIRECTORY = 6
_TYPE_CODEVIEW = 2
_PORTABLE = 0x504D  # MinorVersion "PM" marks the CodeView entry of a portable PDB
_ENTRY = struct.Struct("<IIHHIIII")
_SECTION = struct.Struct("<8x4I16x")
_DIRECTORY = struct.Struct("<II")
_U16, _U32 = struct.Struct("<H"), struct.Struct("<I")
_COFF = struct.Struct("<4xHHI8xH")


@dataclass(frozen=True, slots=True)
class CodeView:
    """What a CodeView entry says of the PDB: its id in Breakpad's form, and the path it was linked to."""

    debug_id: str
    path: str | None


@dataclass(frozen=True, slots=True)
class Headers:
    """The numbers of a PE header that are of use here; `header` is the offset of `PE\\0\\0`."""

    header: int
    machine: int
    stamp: int
    section_count: int
    optional_size: int
    image_size: int
    wide: bool


class Pe:
    """Portable Executable, 32 and 64 bits, of any machine."""

    name = "pe"

    def sniff(self, head: bytes) -> bool:
        """An MZ stub; whether a PE header follows shows later."""
        return head[:2] == b"MZ"

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The image, with the first CodeView entry as its PDB; a broken debug directory is only noted."""
        headers = read_headers(data)
        found, notes = debug_records(data, headers)
        debug_file = None
        if found:
            debug_file, note = _pdb_name(found[0].path)
            notes += [note] if note else []
            notes += [f"it also names the PDB {_pdb_name(one.path)[0] or '?'} {one.debug_id}" for one in found[1:]]
        symbol_id = pe_id(headers.stamp, headers.image_size)
        identity = Identity(
            format=self.name,
            kind=CODE,
            name=name,
            ids=(symbol_id,),
            arch=coff_machine(headers.machine),
            code_id=printed(symbol_id),
            debug_id=found[0].debug_id if found else None,
            debug_file=debug_file,
            notes=tuple(notes),
        )
        return (identity,)


def read_headers(data: Reader) -> Headers:
    """Finds the PE header behind the MZ stub; raises NotIdentified when there is none."""
    header = _U32.unpack(data.at(0x3C, 4))[0]
    if data.at(header, 4) != _PE:
        raise NotIdentified("unknown-format", "a program for DOS or 16-bit Windows: it has no PE header")
    machine, sections, stamp, optional_size = _COFF.unpack(data.at(header, 22))
    # SizeOfImage has the same place in PE32 and PE32+; an image must have it, so the size field is not asked.
    optional = data.at(header + 24, 60)
    magic = _U16.unpack_from(optional)[0]
    if magic not in (_PE32, _PE32_PLUS):
        raise NotIdentified("malformed", f"its optional header is of an unknown kind ({magic:#x})")
    image_size = _U32.unpack_from(optional, 56)[0]
    return Headers(header, machine, stamp, sections, optional_size, image_size, magic == _PE32_PLUS)


def debug_records(data: Reader, headers: Headers) -> tuple[list[CodeView], list[str]]:
    """All CodeView entries of the debug directory in their order, and what was wrong with it."""
    directory = _debug_directory(data, headers)
    if directory is None:
        return [], []
    address, size = directory
    sections = _sections(data, headers)
    offset = _file_offset(sections, address)
    if offset is None or not _reaches(data, offset, size):
        return [], ["its debug directory lies outside the file"]
    found: list[CodeView] = []
    notes: list[str] = []
    for entry in _ENTRY.iter_unpack(data.at(offset, size)):
        _, stamp, _, minor, kind, length, address, pointer = entry
        if kind != _TYPE_CODEVIEW:
            continue
        record = _record(data, pointer, length) or _record(data, _file_offset(sections, address), length)
        codeview = _codeview(record, stamp=stamp, portable=minor == _PORTABLE)
        if codeview is None:
            notes.append("a CodeView entry of its debug directory is broken")
        else:
            found.append(codeview)
    return found, notes


def _reaches(data: Reader, offset: int, size: int) -> bool:
    """Whether the file is long enough."""
    return offset + size <= data.size


def _debug_directory(data: Reader, headers: Headers) -> tuple[int, int] | None:
    """Address and size of the debug directory; None when the image has none."""
    directories = 112 if headers.wide else 96
    count_at = headers.header + 24 + directories - 4
    if headers.optional_size < directories or not _reaches(data, count_at, 4 + 8 * (_DEBUG_DIRECTORY + 1)):
        return None
    if _U32.unpack(data.at(count_at, 4))[0] <= _DEBUG_DIRECTORY:
        return None
    address, size = _DIRECTORY.unpack(data.at(count_at + 4 + 8 * _DEBUG_DIRECTORY, 8))
    size = min(size // _ENTRY.size, DEBUG_ENTRIES_LIMIT) * _ENTRY.size
    return (address, size) if address and size else None


def _sections(data: Reader, headers: Headers) -> list[tuple[int, int, int, int]]:
    """VirtualSize, VirtualAddress, SizeOfRawData, PointerToRawData of each section; none if they are cut off."""
    table = headers.header + 24 + headers.optional_size
    size = min(headers.section_count, SECTIONS_LIMIT) * _SECTION.size
    return list(_SECTION.iter_unpack(data.at(table, size))) if _reaches(data, table, size) else []


def _file_offset(sections: list[tuple[int, int, int, int]], address: int) -> int | None:
    """Where a relative virtual address lies in the file; None if nowhere. Before the first section are the headers."""
    for virtual_size, start, raw_size, raw in sections:
        if start <= address < start + max(virtual_size, raw_size):
            return raw + address - start if address - start < raw_size else None
    return address if sections and address < min(start for _, start, _, _ in sections) else None


def _record(data: Reader, offset: int | None, length: int) -> bytes:
    """The bytes of a CodeView record, as many as could matter; empty if there is none.

    PointerToRawData is what linkers fill in; images dumped from memory are right by address only.
    """
    length = min(length, RECORD_LIMIT_BYTES)
    record = data.at(offset, length) if offset and _reaches(data, offset, length) else b""
    return record if record[:4] in (b"RSDS", b"NB10") else b""


def _codeview(record: bytes, *, stamp: int, portable: bool) -> CodeView | None:
    """Reads a CodeView record; None if it is none.

    RSDS: GUID, age, path. The age of a portable PDB is always 1 there; Breakpad's form has the entry's
    TimeDateStamp instead (symbolic's pe.rs). NB10: offset, signature, age, path; Breakpad's form of a PDB 2.0 id is
    the signature and the age.
    """
    if record[:4] == b"RSDS" and len(record) >= 24:
        age = stamp if portable else _U32.unpack_from(record, 20)[0]
        return CodeView(breakpad_id(guid_text(record[4:20]), age), _path(record[24:]))
    if record[:4] == b"NB10" and len(record) >= 16:
        signature, age = struct.unpack_from("<II", record, 8)
        return CodeView(f"{signature:08X}{age:x}", _path(record[16:]))
    return None


def _path(raw: bytes) -> str | None:
    """A NUL-ended path; None if its bytes are no UTF-8 (old linkers wrote the code page of their machine)."""
    try:
        return raw.split(b"\0", 1)[0].decode()
    except UnicodeDecodeError:
        return None


def _pdb_name(path: str | None) -> tuple[str | None, str | None]:
    """The base name of the PDB if it can be a file name in a store; otherwise a note that says why not."""
    if path is None:
        return None, "the name of its PDB is not UTF-8"
    try:
        return checked_name(base_name(path)), None
    except BadName as error:
        return None, f"the name of its PDB: {error}"
