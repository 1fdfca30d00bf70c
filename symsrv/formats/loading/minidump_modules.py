"""The module list of a minidump: names, addresses, versions and ids, as Windows, Breakpad and Crashpad write them.

The records' places are those of Microsoft's minidumpapiset.h (MINIDUMP_HEADER, MINIDUMP_MODULE_LIST, MINIDUMP_MODULE)
and of Breakpad's minidump_format.h, which adds the systems beside Windows and the BpEL record.
"""

import struct
from collections.abc import Iterator

from symsrv.formats.base import Reader
from symsrv.formats.loading.loaded import loaded_name
from symsrv.formats.minidump import MAGICS
from symsrv.formats.structures.guid import GUID_BYTES, breakpad_id, guid_text
from symsrv.model.errors import NotIdentified
from symsrv.model.ids import PORTABLE_AGE, SymbolId, build_id, debug_id, pe_id, printed, uuid_id
from symsrv.model.modules import Module

STREAMS_LIMIT = 1024  # writers make about a dozen
MODULES_LIMIT = 1 << 16  # Breakpad's own processor stops at 2048; some Windows services have more
NAME_LIMIT_BYTES = 0xFFFE  # the longest path of Windows is 32,767 characters
RECORD_LIMIT_BYTES = 4096

_MODULES, _SYSTEM = 4, 7
_MODULE_BYTES = 108
_RUN = 512  # modules read at a time
_FIXED_FILE_INFO = 0xFEEF04BD
_PLATFORM_AT = 20
_WINDOWS, _APPLE, _ELF = "windows", "apple", "elf"
# minidump_format.h, MDOSPlatform: Win32s to CE; macOS, iOS; Unix, Linux, Solaris, Android, PS3, NaCl, Fuchsia.
_SYSTEMS = dict.fromkeys(range(4), _WINDOWS) | dict.fromkeys((0x8101, 0x8102), _APPLE)
_SYSTEMS |= dict.fromkeys((0x8000, *range(0x8201, 0x8207)), _ELF)


class _Dump:
    """A minidump's header and directory; `order` is its writer's byte order in the words of `struct`."""

    def __init__(self, data: Reader) -> None:
        self.data = data
        magic = data.up_to(0, 4)
        if magic not in MAGICS:
            raise NotIdentified("unknown-format", "it does not begin as a minidump does")
        self.order = MAGICS[magic]
        self._word = struct.Struct(f"{self.order}I")
        _, count, at = self.words(4, 3)
        if count > STREAMS_LIMIT:
            raise NotIdentified("too-complex", f"a minidump of {count} streams; symsrv looks at {STREAMS_LIMIT}")
        directory = struct.Struct(f"{self.order}3I").iter_unpack(data.at(at, count * 12))
        self._streams = {kind: (offset, size) for kind, size, offset in reversed(list(directory))}

    def words(self, offset: int, count: int) -> tuple[int, ...]:
        """`count` numbers of 32 bits."""
        return struct.unpack(f"{self.order}{count}I", self.data.at(offset, 4 * count))

    def stream(self, kind: int) -> tuple[int, int] | None:
        """Where the first stream of this kind is, and its size."""
        return self._streams.get(kind)

    def system(self) -> str | None:
        """What kind of ids to expect, by the platform of the system information; None if the dump does not tell."""
        place = self.stream(_SYSTEM)
        if place is None or place[0] + _PLATFORM_AT + 4 > self.data.size:
            return None
        return _SYSTEMS.get(self.words(place[0] + _PLATFORM_AT, 1)[0])

    def string(self, offset: int) -> str | None:
        """A MINIDUMP_STRING: a length in bytes, then UTF-16; None if it is not all in the file."""
        if offset + 4 > self.data.size:
            return None
        size = min(self.words(offset, 1)[0], NAME_LIMIT_BYTES) & ~1
        if offset + 4 + size > self.data.size:
            return None
        text = self.data.at(offset + 4, size).decode("utf-16-le" if self.order == "<" else "utf-16-be", "replace")
        return text.split("\0", 1)[0]

    def guid(self, raw: bytes) -> str:
        """A GUID's digits; its fields are numbers, so a big-endian writer leaves them in the printed order."""
        return guid_text(raw) if self.order == "<" else raw.hex()


def minidump_modules(data: Reader) -> Iterator[Module]:
    """The loaded modules in the dump's order; unloaded ones are not listed.

    Raises NotIdentified for a dump without a list, and at the end of one whose names or records lie outside the file:
    a dump that was cut still tells what it has.
    """
    dump = _Dump(data)
    place = dump.stream(_MODULES)
    if place is None:
        raise NotIdentified("malformed", "a minidump without a list of modules")
    offset, size = place
    (count,) = dump.words(offset, 1)
    if count > MODULES_LIMIT:
        raise NotIdentified("too-complex", f"a minidump of {count} modules; symsrv lists {MODULES_LIMIT}")
    # Breakpad and some others align the first record to eight bytes; only the stream's size shows it.
    first = offset + (8 if size == 8 + count * _MODULE_BYTES else 4)
    system, cut = dump.system(), 0
    for at in range(0, count, _RUN):
        run = min(_RUN, count - at, max(0, data.size - first - at * _MODULE_BYTES) // _MODULE_BYTES)
        records = data.at(first + at * _MODULE_BYTES, run * _MODULE_BYTES)
        for start in range(0, len(records), _MODULE_BYTES):
            module, whole = _module(dump, records[start : start + _MODULE_BYTES], system)
            cut += not whole
            yield module
        if run < min(_RUN, count - at):
            raise NotIdentified("truncated", f"the dump ends after {at + run} of its {count} modules")
    if cut:
        raise NotIdentified("truncated", f"the names or ids of {cut} of its {count} modules lie outside the dump")


def _module(dump: _Dump, raw: bytes, system: str | None) -> tuple[Module, bool]:
    """The module, and whether all that it refers to is in the file."""
    base, size, _, stamp, name_at = struct.unpack_from(f"{dump.order}Q4I", raw)
    record_size, record_at = struct.unpack_from(f"{dump.order}2I", raw, 76)
    path = dump.string(name_at)
    inside = record_at + record_size <= dump.data.size
    record = dump.data.at(record_at, min(record_size, RECORD_LIMIT_BYTES)) if inside else b""
    ids = _Ids(dump, record, system)
    code_ids, code_id = ids.code_ids, ids.code_id
    if ids.system == _WINDOWS and (stamp or size):
        code_ids = (pe_id(stamp, size),)
        code_id = printed(code_ids[0])
    module = Module(
        name=loaded_name(path or ""),
        path=path or "",
        code_ids=code_ids,
        debug_ids=ids.debug_ids,
        code_id=code_id,
        debug_id=ids.debug_id,
        debug_file=ids.debug_file,
        build_id=ids.build_id,
        version=_version(struct.unpack_from(f"{dump.order}4I", raw, 24)),
        base=base,
        size=size,
    )
    return module, path is not None and inside


class _Ids:
    """What a module's CodeView record says, read by the rules of the system that the dump is of."""

    def __init__(self, dump: _Dump, record: bytes, system: str | None) -> None:
        self.system = system or _WINDOWS
        self.code_ids: tuple[SymbolId, ...] = ()
        self.debug_ids: tuple[SymbolId, ...] = ()
        self.code_id: str | None = None
        self.debug_id: str | None = None
        self.debug_file: str | None = None
        self.build_id: str | None = None
        kind = record[:4] if dump.order == "<" else record[3::-1]
        if kind == b"RSDS" and len(record) >= 24:
            self._guid(dump.guid(record[4:20]), struct.unpack_from(f"{dump.order}I", record, 20)[0])
            self.debug_file = _text(record[24:])
        elif kind == b"NB10" and len(record) >= 16:
            self._signature(*struct.unpack_from(f"{dump.order}2I", record, 8))
            self.debug_file = _text(record[16:])
        elif kind == b"LEpB":
            self.system = _ELF
            self._build(record[4:])

    def _guid(self, guid: str, age: int) -> None:
        """A GUID of zeros is how Crashpad and Breakpad say that a module has no id."""
        if not guid.strip("0"):
            return
        self.debug_id = breakpad_id(guid, age)
        # The beginning of a build id can be read back from Breakpad's id, but not where it ended.
        self.debug_ids = (debug_id(guid, age),)
        if self.system == _APPLE:
            # Crashpad's UUID and Breakpad's MDGUID keep the fields of the UUID as numbers, so that it prints as it is.
            self.code_ids = (uuid_id(bytes.fromhex(guid)),)
            self.code_id = self.code_ids[0].value
            self.debug_ids = (*self.code_ids, *self.debug_ids)
        elif self.system == _WINDOWS and age == 1:
            # A .NET program with a portable PDB has age 1 here and nothing else to tell it by (SSQP, "Portable-PDB").
            self.debug_ids = (*self.debug_ids, debug_id(guid, PORTABLE_AGE))

    def _signature(self, signature: int, age: int) -> None:
        """PDB 2.0: a time stamp for the GUID."""
        if signature:
            self.debug_ids = (pe_id(signature, age),)
            self.debug_id = printed(self.debug_ids[0])

    def _build(self, raw: bytes) -> None:
        """BpEL: the whole build id. An id of zeros is none (rust-minidump's rule)."""
        if raw.strip(b"\0"):
            guid = guid_text(raw[:GUID_BYTES].ljust(GUID_BYTES, b"\0"))
            self.code_ids = (build_id(raw),)
            self.debug_ids = (*self.code_ids, debug_id(guid, 0))
            self.code_id = self.build_id = raw.hex()
            self.debug_id = breakpad_id(guid, 0)


def _text(raw: bytes) -> str | None:
    """A NUL-ended path in UTF-8; old linkers wrote the code page of their machine."""
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace") or None


def _version(fields: tuple[int, ...]) -> str | None:
    """VS_FIXEDFILEINFO's file version; None if the record is not filled in."""
    signature, _, high, low = fields
    if signature != _FIXED_FILE_INFO or not (high or low):
        return None
    return f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}"
