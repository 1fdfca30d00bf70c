"""SSQP, the key conventions of .NET's tools: lower-case names, and a prefix that says what kind of id follows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from symsrv.layouts.grammar import WHOLE_FILES, asked_name, file_name, plain_ask
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import (
    BUILD,
    CORECLR_BUILD,
    CORECLR_UUID,
    DEBUG,
    MSFZ,
    PE,
    PERFMAP,
    PORTABLE_AGE,
    UUID,
    WASM,
    SymbolId,
    build_readings,
    padded_build,
    perfmap_readings,
    printed,
    readings,
    uuid_readings,
)
from symsrv.model.names import fold

ANY_NAME = "_"
_MSFZ = "msfz0"  # the folder of a PDB in a compressed container: who asks for the plain path may not be able to read it


@dataclass(frozen=True, slots=True)
class _Prefix:
    """What stands before an id: which kind of file it asks for, and how the id is read. `named`: under its own name."""

    text: str
    wants: Wants
    read: Callable[[str], tuple[SymbolId, ...]]
    named: bool = True


_ELF = _Prefix("elf-buildid-", Wants.CODE, build_readings)
_ELF_SYM = _Prefix("elf-buildid-sym-", Wants.DEBUG, build_readings, named=False)
_ELF_CORECLR = _Prefix("elf-buildid-coreclr-", Wants.EITHER, partial(build_readings, kind=CORECLR_BUILD))
_MACH = _Prefix("mach-uuid-", Wants.CODE, uuid_readings)
_MACH_SYM = _Prefix("mach-uuid-sym-", Wants.DEBUG, uuid_readings, named=False)
_MACH_CORECLR = _Prefix("mach-uuid-coreclr-", Wants.EITHER, partial(uuid_readings, kind=CORECLR_UUID))
_R2RMAP = _Prefix("r2rmap-v", Wants.EITHER, perfmap_readings)
# The longer before those that they begin with.
_PREFIXES = (_ELF_SYM, _ELF_CORECLR, _ELF, _MACH_SYM, _MACH_CORECLR, _MACH, _R2RMAP)

# Code's prefix, the debug file's, and the debug file's name: debuggers do not know what it was called.
_CODE_AND_DEBUG = {BUILD: (_ELF, _ELF_SYM, "_.debug"), UUID: (_MACH, _MACH_SYM, "_.dwarf")}


class Ssqp:
    """Microsoft.SymbolStore's keys, and the bare build ids and UUIDs that rust-minidump asks for code by."""

    name = "ssqp"

    def parse(self, path: str) -> Ask | None:
        """Reads `<name>/<prefix><id>/<name>`, `<name>/<id>/<name>` and `<name>/<id>/msfz0/<name>`."""
        segments = path.split("/")
        if len(segments) == 4 and segments[2].lower() == _MSFZ:
            return _msfz_ask(segments[0], segments[1], segments[3])
        if len(segments) != 3:
            return None
        name, text, file = segments
        if "-" not in text:
            return plain_ask(name, text, file)
        folded = text.lower()
        for prefix in _PREFIXES:
            if folded.startswith(prefix.text):
                return _prefixed_ask(prefix, name, folded[len(prefix.text) :], file)
        return None

    def paths(self, ask: Ask) -> Sequence[str]:
        """Every spelling of every id; build ids of unusual length as they are and padded to 20 bytes."""
        if ask.wants not in WHOLE_FILES:
            return ()
        name = None if ask.name is None else fold(ask.name)
        found: list[str] = []
        for one in ask.ids:
            if one.kind in _CODE_AND_DEBUG:
                found += _code_and_debug(one, ask.wants, name, packed=ask.packed)
            elif name is not None:
                for text in _TEXTS[one.kind](one):
                    found += _key(name, text, packed=ask.packed)
        return tuple(dict.fromkeys(found))


def _msfz_ask(name: str, text: str, file: str) -> Ask | None:
    ids = tuple(SymbolId(MSFZ, one.value) for one in readings(text) if one.kind == DEBUG)
    checked = asked_name(name, file) if ids else None
    return None if checked is None else Ask(Wants.EITHER, ids, checked[0], packed=checked[1])


def _prefixed_ask(prefix: _Prefix, name: str, text: str, file: str) -> Ask | None:
    ids = prefix.read(text)
    checked = asked_name(name, file) if ids else None
    if checked is None:
        return None
    nameless = not prefix.named or (prefix.wants is Wants.CODE and checked[0] == ANY_NAME)
    return Ask(prefix.wants, ids, None if nameless else checked[0], packed=checked[1])


def _code_and_debug(one: SymbolId, wants: Wants, name: str | None, *, packed: bool) -> list[str]:
    code, debug, debug_name = _CODE_AND_DEBUG[one.kind]
    found: list[str] = []
    if wants is not Wants.DEBUG:
        for text in _lengths(one):
            found += _key(name or ANY_NAME, code.text + text, packed=packed)
        if name is not None:
            found += _key(name, one.value, packed=packed)
    if wants is not Wants.CODE:
        for text in _lengths(one):
            found += _key(debug_name, debug.text + text, packed=packed)
    return found


def _lengths(one: SymbolId) -> tuple[str, ...]:
    # .NET's tools pad, symbolicator and PerfView do not: both must find it. test_ssqp.py::test_padded_and_unpadded
    if one.kind in (BUILD, CORECLR_BUILD):
        return tuple(dict.fromkeys((one.value, padded_build(one.value))))
    return (one.value,)


# The id's folder under the file's own name, the usual spelling first; for MSFZ two folders.
_TEXTS: dict[str, Callable[[SymbolId], tuple[str, ...]]] = {
    PE: lambda one: (printed(one),),
    DEBUG: lambda one: (_lower_guid(one),),
    WASM: lambda one: (one.value,),
    MSFZ: lambda one: (f"{one.value}/{_MSFZ}",),
    PERFMAP: lambda one: tuple(_R2RMAP.text + spelled.value for spelled in perfmap_readings(one.value)),
    CORECLR_BUILD: lambda one: tuple(_ELF_CORECLR.text + text for text in _lengths(one)),
    CORECLR_UUID: lambda one: (_MACH_CORECLR.text + one.value,),
}


def _lower_guid(symbol_id: SymbolId) -> str:
    guid, age = symbol_id.value[:32], symbol_id.value[32:]
    # Portable PDBs have no age: .NET's tools print eight capital Fs after a lower-case GUID.
    return guid + (age.upper() if age and int(age, 16) == PORTABLE_AGE else age)


def _key(name: str, text: str, *, packed: bool) -> list[str]:
    file = file_name(name, packed=packed)
    return [] if file is None else [f"{name}/{text}/{file}"]
