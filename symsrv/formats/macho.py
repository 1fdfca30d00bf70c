"""Mach-O: programs, libraries and dSYM files of Apple's systems, thin and fat. Known by LC_UUID, one per slice."""

from dataclasses import replace
from itertools import pairwise

from symsrv.formats.base import Reader
from symsrv.formats.structures.guid import breakpad_id
from symsrv.formats.structures.macho_tables import (
    FAT,
    FAT_64,
    LC_SEGMENT,
    LC_SEGMENT_64,
    LC_UUID,
    LOADED_COMMANDS,
    MAGICS,
    MH_CORE,
    MH_DSYM,
    MH_DYLIB_STUB,
    SLICES_LIMIT,
    MachoTables,
    Slice,
    fat_slices,
    macho_machine,
)
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO, Identity
from symsrv.model.ids import uuid_id

SCAN_LIMIT_BYTES = 16 * 1024  # of load commands; once the UUID is known, nothing behind is looked at
LIBRARIES_LIMIT = 1024
NAME_LIMIT_BYTES = 4096

_DWARF = b"__DWARF"


class MachO:
    """Mach-O of 32 and 64 bits and both byte orders, and fat files of 32 and 64 bits."""

    name = "macho"

    def sniff(self, head: bytes) -> bool:
        """A magic number; that of fat files is a Java class's too, which has a larger number behind it."""
        if head[:4] == FAT:
            return int.from_bytes(head[4:8], "big") <= SLICES_LIMIT
        return head[:4] in MAGICS or head[:4] == FAT_64

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """One identity per slice that has a UUID. The file is stored once; SSQP has a key for each slice."""
        if data.at(0, 4) in MAGICS:
            return (_identify_slice(MachoTables(data), name),)
        return _identify_slices(data, name)


def _identify_slices(data: Reader, name: str) -> tuple[Identity, ...]:
    """The identities of a fat file; what is wrong with other slices is noted with the first."""
    found: dict[str, Identity] = {}
    refused: list[NotIdentified] = []
    notes: list[str] = []
    slices = fat_slices(data)
    for one in slices:
        try:
            if one.offset + one.size > data.size:
                raise NotIdentified("truncated", "a slice of the fat Mach-O file lies outside it")
            identity = _identify_slice(MachoTables(data, one.offset, one.size), name)
        except NotIdentified as error:
            refused.append(error)
            notes.append(f"its slice for {macho_machine(one.machine, one.subtype)}: {error}")
            continue
        found.setdefault(identity.ids[0].value, identity)
    if not found:
        # What is broken tells more than what has no id.
        raise next((error for error in refused if error.reason != "no-id"), refused[0])
    if _overlap(slices):
        notes.append("its slices overlap")
    first, *others = found.values()
    return (replace(first, notes=(*first.notes, *notes)), *others)


def _overlap(slices: tuple[Slice, ...]) -> bool:
    ordered = sorted(slices)
    return any(one.offset + one.size > other.offset for one, other in pairwise(ordered))


def _identify_slice(macho: MachoTables, name: str) -> Identity:
    """What a thin file is.

    Kind: type DSYM is a debug file, as .NET's tools have it, and all others are code, with debug information too when
    they keep it in a segment of its own (`__DWARF`: Go's linker does; Apple's leaves it in the object files).
    """
    if macho.type == MH_CORE:
        raise NotIdentified("not-symbols", "a core dump: it is what symbols are needed for")
    if macho.type == MH_DYLIB_STUB:
        raise NotIdentified("not-symbols", "a stub library: it names what another library has, for the linker")
    raw, dwarf, notes = _look_through(macho)
    kind = DEBUG_INFO if macho.type == MH_DSYM else BOTH if dwarf else CODE
    return Identity(
        format=MachO.name,
        kind=kind,
        name=name,
        ids=(uuid_id(raw),),
        arch=macho_machine(macho.machine, macho.subtype),
        code_id=raw.hex(),
        debug_id=breakpad_id(raw.hex(), 0),  # Breakpad swaps nothing here, unlike in ELF files
        symbol_kind="bin" if kind == CODE else "pri",
        notes=notes,
    )


def _look_through(macho: MachoTables) -> tuple[bytes, bool, tuple[str, ...]]:
    """The first UUID, whether there is a DWARF segment with content, and notes; raises NotIdentified without a UUID."""
    raw, dwarf, cut = b"", False, False
    notes: list[str] = []
    try:
        for command in macho.commands():
            if raw and command.offset > SCAN_LIMIT_BYTES:
                break
            if command.kind == LC_UUID:
                raw = raw or macho.uuid(command)
            elif command.kind in (LC_SEGMENT, LC_SEGMENT_64) and (segment := macho.segment(command)):
                dwarf = dwarf or (segment.name == _DWARF and segment.size > 0)
                cut = cut or segment.offset + segment.size > macho.size
    except NotIdentified as error:
        if not raw:
            # A file that was cut says so in its header, whatever the cut left of the load commands.
            reason = error.reason if macho.sound else "truncated"
            raise NotIdentified(reason, str(error)) from error
        notes.append(f"its load commands: {error}")
    if cut:
        notes.append("its segments lie outside the file")
    if not any(raw):
        raise NotIdentified("no-id", "a Mach-O file without LC_UUID; link it without -no_uuid (object files have none)")
    return raw, dwarf, tuple(notes)


def slices(data: Reader) -> tuple[Slice, ...]:
    """Where the Mach-O files in a file lie: in a thin one from 0 to its end; none if it is no Mach-O file.

    Raises NotIdentified for a fat file whose table is broken; slices that lie outside the file are left out.
    """
    magic = data.up_to(0, 4)
    if magic in MAGICS:
        macho = MachoTables(data)
        return (Slice(0, data.size, macho.machine, macho.subtype),)
    if magic in (FAT, FAT_64) and MachO().sniff(data.up_to(0, 8)):
        return tuple(one for one in fat_slices(data) if one.offset + one.size <= data.size)
    return ()


def loaded_libraries(data: Reader, slice_offset: int = 0) -> tuple[str, ...]:
    """The paths of the libraries that a Mach-O file names to be loaded (`@rpath/libfoo.dylib`), in their order.

    LC_LOAD_DYLIB and its weak, re-exported, lazy and upward kinds; at most LIBRARIES_LIMIT. `slice_offset` is where the
    Mach-O header lies in a fat file (see `slices`). What comes before a broken load command is returned; raises
    NotIdentified if there is no Mach-O header.
    """
    macho = MachoTables(data, slice_offset)
    found: dict[str, None] = {}
    try:
        for command in macho.commands():
            if command.kind in LOADED_COMMANDS and (raw := macho.text(command, NAME_LIMIT_BYTES)):
                found[raw.decode("utf-8", "replace")] = None
                if len(found) == LIBRARIES_LIMIT:
                    break
    except NotIdentified:
        pass
    return tuple(found)
