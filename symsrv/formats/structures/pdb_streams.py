"""What PDB 7, PDB 2.0 and MSFZ files have in common: the info stream, the DBI stream, and what follows from them."""

import struct
from dataclasses import dataclass

from symsrv.formats.structures.guid import breakpad_id, guid_text
from symsrv.formats.structures.machines import coff_machine
from symsrv.formats.structures.msf import Streams
from symsrv.formats.structures.pdb_names import HAS_GUID, INFO, map_offset, source_notes
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import DEBUG_INFO, Identity
from symsrv.model.ids import DEBUG, SymbolId, debug_id
from symsrv.model.names import fold

MODULES_LIMIT_BYTES = 32 * 1024  # how far the module list is looked through for line numbers
FRONT_BYTES = 1024  # of a stream; usually all that is needed of it
DBI = 3

_INFO_HEADER = struct.Struct("<3I16s")
_DBI_HEADER = struct.Struct("<iII12xi28xHH4x")
_MODULE = struct.Struct("<36x4x2I16x")
_DBI_VERSION = 19970606  # VC60; older ones have another header
_STRIPPED = 0x2
_FASTLINK = 0x494E494D  # "MINI"
_VC110 = 20091201
_PIECE_BYTES = 4096

UNFIT_NOTES = {
    "fastlink": "a /DEBUG:FASTLINK PDB: it only points to the object files on the machine that linked it;"
    " link with /DEBUG:FULL, or convert it with mspdbcmf.exe",
    "not-symbols": "a compiler's database (.idb), of use only to the next compilation",
}


@dataclass(frozen=True, slots=True)
class Info:
    """Stream 1: the GUID, and an age that tools such as pdbstr raise."""

    age: int
    guid: str


@dataclass(frozen=True, slots=True)
class Dbi:
    """Stream 3's header; its age is the one that the linker wrote into the image."""

    age: int
    modules_size: int
    stripped: bool
    machine: int


def pdb_identity(streams: Streams, name: str, *, format: str = "pdb", id_kind: str = DEBUG) -> Identity:
    """The PDB in this container; `debug_file` is its own name. A mini PDB has ids like any other, and is unfit."""
    info_head = streams.read(INFO, 0, FRONT_BYTES)
    info = read_info(info_head)
    unfit = unfit_for_stores(name, fastlink=is_fastlink(streams, info_head))
    dbi_head = streams.read(DBI, 0, FRONT_BYTES)
    dbi = read_dbi(dbi_head)
    age, ids = _ids(streams, info, dbi)
    kind, notes = symbol_kind(streams, dbi, dbi_head)
    return Identity(
        format=format,
        kind=DEBUG_INFO,
        name=name,
        ids=ids if id_kind == DEBUG else tuple(SymbolId(id_kind, one.value) for one in ids),
        arch=coff_machine(dbi.machine) if dbi else None,
        debug_id=None if age is None else breakpad_id(info.guid, age),
        debug_file=name,
        symbol_kind=kind,
        notes=(UNFIT_NOTES[unfit], *notes, *source_notes(info_head)) if unfit else notes + source_notes(info_head),
        unfit=unfit,
    )


def unfit_for_stores(name: str, *, fastlink: bool = False) -> str | None:
    """The reason word of a PDB that has ids and is of no use elsewhere: a mini PDB, and whatever is called `.idb`."""
    if fastlink:
        return "fastlink"
    return "not-symbols" if fold(name).endswith(".idb") else None


def read_info(head: bytes) -> Info:
    """The header of stream 1."""
    if len(head) < _INFO_HEADER.size:
        raise NotIdentified("no-id", "a PDB without an info stream: it has no GUID")
    version, _, age, guid = _INFO_HEADER.unpack_from(head)
    if version < HAS_GUID:
        raise NotIdentified("malformed", f"its info stream is of version {version}, which has no GUID")
    return Info(age, guid_text(guid))


def read_dbi(head: bytes) -> Dbi | None:
    """The header of stream 3; None if the stream is absent or its header is not one."""
    if len(head) < _DBI_HEADER.size:
        return None
    signature, version, age, modules_size, flags, machine = _DBI_HEADER.unpack_from(head)
    if signature != -1 or version < _DBI_VERSION:
        return None
    return Dbi(age, modules_size, bool(flags & _STRIPPED), machine)


def _ids(streams: Streams, info: Info, dbi: Dbi | None) -> tuple[int | None, tuple[SymbolId, ...]]:
    """The age to print (None: Breakpad's tools and symbolic refuse such a file), and all ids, canonical first.

    - The DBI age counts where there is one: pdbstr raises the info age, the image keeps the DBI age.
    - Without a DBI stream, and with DBI age 0, symstore.exe leaves the age out; .NET's tools ask for the info age
      or for 0 (dossier of the clients, 1.3). All spellings are kept.
    - A DBI stream with a header nobody knows is treated as .NET's tools do: the info age.
    """
    if dbi and dbi.age:
        return dbi.age, (debug_id(info.guid, dbi.age),)
    if streams.size(DBI) and dbi is None:
        return info.age, (debug_id(info.guid, info.age),)
    ages = dict.fromkeys((None, 0, info.age))
    return (dbi.age if dbi else None), tuple(debug_id(info.guid, age) for age in ages)


def symbol_kind(streams: Streams, dbi: Dbi | None, dbi_head: bytes) -> tuple[str, tuple[str, ...]]:
    """Column 4 of `refs.ptr`, by the rule that symstore.exe's own output shows (symstore dossier 1.7).

    No DBI: types only. Stripped, or no module with line numbers: public symbols. Otherwise private. A module list
    without lines up to MODULES_LIMIT_BYTES of a PDB that is not stripped is taken for private, and that is noted.
    """
    if dbi is None:
        return "typ", ()
    if dbi.stripped:
        return "pub", ()
    lines = _has_lines(streams, dbi.modules_size, dbi_head[_DBI_HEADER.size :])
    if lines is None:
        return "pri", (
            f"the first {MODULES_LIMIT_BYTES} bytes of its module list have no line numbers; assumed private",
        )
    return ("pri" if lines else "pub"), ()


def _has_lines(streams: Streams, modules_size: int, buffer: bytes) -> bool | None:
    """Whether a module of the DBI stream has C11 or C13 line bytes; None if none has as far as was looked.

    `buffer` is the beginning of the module list, which may be cut or be followed by something else.
    """
    end = min(max(modules_size, 0), MODULES_LIMIT_BYTES)
    buffer = buffer[:end]
    start = at = 0  # `buffer` holds the list from `start`; the next record begins at `at`
    while at + _MODULE.size <= end:
        record = at - start
        names = _end_of_names(buffer, record + _MODULE.size)
        if names is None:  # read on from this record, a second time as far as is allowed: names can be long paths
            wanted = min(end - at, MODULES_LIMIT_BYTES if start == at and len(buffer) >= _PIECE_BYTES else _PIECE_BYTES)
            if start == at and len(buffer) >= wanted:
                break
            buffer, start = streams.read(DBI, _DBI_HEADER.size + at, wanted), at
            if len(buffer) < wanted:
                end = at + len(buffer)  # the stream ends before its list
            continue
        c11, c13 = _MODULE.unpack_from(buffer, record)
        if c11 or c13:
            return True
        at = start + names
    return None if modules_size > MODULES_LIMIT_BYTES else False


def _end_of_names(buffer: bytes, start: int) -> int | None:
    """The offset behind a module record's two names, on the next multiple of four; None if they are cut."""
    first = buffer.find(b"\0", start)
    second = buffer.find(b"\0", first + 1) if first >= 0 else -1
    return None if second < 0 else (second + 4) & ~3


def is_fastlink(streams: Streams, head: bytes) -> bool:
    """Whether the feature codes behind stream 1's named-stream map have MINI (pdb-rs, pdbi_stream.md).

    The map (`pdb_names`) is followed by u32 0 and the codes; VC110 ends them. A map that leads outside the stream
    tells nothing.
    """

    def read(offset: int, size: int) -> bytes:
        if offset + size <= len(head) or len(head) < FRONT_BYTES:  # then it is the whole stream
            return head[offset : offset + size]
        return streams.read(INFO, offset, size)

    def number(offset: int) -> int:
        return int.from_bytes(read(offset, 4), "little")

    at = map_offset(head)
    at += 4 + number(at)
    pairs = number(at)
    at += 8
    for _ in range(2):
        at += 4 + 4 * number(at)
    codes = read(at + 8 * pairs + 4, 64)
    for (code,) in struct.iter_unpack("<I", codes[: len(codes) & ~3]):
        if code in (_FASTLINK, _VC110):
            return bool(code == _FASTLINK)
    return False
