"""CLR metadata: the root that begins with `BSJB`, and its streams; a portable PDB is metadata with a `#Pdb` stream."""

import struct
from dataclasses import dataclass

from symsrv.formats.base import Reader
from symsrv.formats.structures.guid import GUID_BYTES, guid_text
from symsrv.model.errors import NotIdentified

MAGIC = b"BSJB"
STREAMS_LIMIT = 64  # there are six kinds
VERSION_LIMIT_BYTES = 256

_ROOT = struct.Struct("<4s2H4xI")  # magic, two versions, length of the version text
_STREAM = struct.Struct("<II")
_NAME_LIMIT_BYTES = 32
_PDB_ID = struct.Struct("<16sI")


@dataclass(frozen=True, slots=True)
class Span:
    """Where a stream lies in the file; whether all of it is there shows when it is read."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class PdbId:
    """The id of a portable PDB: a GUID as it prints, and the stamp in the place of an age."""

    guid: str
    stamp: int


def read_streams(data: Reader) -> dict[str, Span]:
    """The streams of a metadata root (ECMA-335 II.24.2.1 and II.24.2.2); of two with one name, the first."""
    magic, _, _, length = _ROOT.unpack(data.at(0, _ROOT.size))
    if magic != MAGIC:
        raise NotIdentified("unknown-format", "no CLR metadata: it does not begin with BSJB")
    if length > VERSION_LIMIT_BYTES:
        raise NotIdentified("malformed", f"the version text of its metadata claims {length} bytes")
    at = _ROOT.size + length
    count = int.from_bytes(data.at(at + 2, 2), "little")
    if count > STREAMS_LIMIT:
        raise NotIdentified("malformed", f"its metadata claims {count} streams")
    at += 4
    found: dict[str, Span] = {}
    for _ in range(count):
        offset, size = _STREAM.unpack(data.at(at, _STREAM.size))
        name = data.up_to(at + _STREAM.size, _NAME_LIMIT_BYTES).partition(b"\0")
        if not name[1]:
            raise NotIdentified("truncated" if at + 40 > data.size else "malformed", "the name of a stream has no end")
        found.setdefault(name[0].decode("latin-1"), Span(offset, size))
        at += _STREAM.size + (len(name[0]) + 4 & ~3)
    return found


def pdb_stream(streams: dict[str, Span]) -> Span:
    """The stream that makes metadata a portable PDB; raises NotIdentified if there is none."""
    found = streams.get("#Pdb")
    if found is None:
        raise NotIdentified("not-symbols", "CLR metadata without a #Pdb stream: it belongs to a program, not to a PDB")
    if found.size < _PDB_ID.size:
        raise NotIdentified("malformed", f"its #Pdb stream has {found.size} bytes, too few for an id")
    return found


def pdb_id(data: Reader, stream: Span) -> PdbId:
    """The id at the beginning of the `#Pdb` stream (Portable PDB 1.0, "#Pdb stream")."""
    raw, stamp = _PDB_ID.unpack(data.at(stream.offset, _PDB_ID.size))
    if raw == bytes(GUID_BYTES):
        raise NotIdentified("no-id", "a portable PDB whose GUID is nothing but zeros")
    return PdbId(guid_text(raw), stamp)
