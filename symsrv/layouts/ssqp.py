"""SSQP, the key conventions of .NET's tools: lower-case names, and ELF files by their build ids."""

from collections.abc import Sequence

from symsrv.layouts.grammar import PORTABLE_AGE, WHOLE_FILES, asked_name, file_name, plain_ask
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import BUILD, DEBUG, PE, SymbolId, build_readings, padded_build, printed
from symsrv.model.names import fold

CODE_PREFIX = "elf-buildid-"
DEBUG_PREFIX = "elf-buildid-sym-"
DEBUG_NAME = "_.debug"  # debuggers do not know what a separate debug file was called
ANY_NAME = "_"


class Ssqp:
    """Microsoft.SymbolStore's keys, and the bare build ids that rust-minidump asks for code by."""

    name = "ssqp"

    def parse(self, path: str) -> Ask | None:
        """Reads `<name>/elf-buildid-…/<name>`, `_.debug/elf-buildid-sym-…/_.debug` and plain ids."""
        if path.count("/") != 2:
            return None
        name, text, file = path.split("/")
        folded = text.lower()
        if not folded.startswith(CODE_PREFIX):
            return plain_ask(name, text, file)
        sym = folded.startswith(DEBUG_PREFIX)
        ids = build_readings(folded[len(DEBUG_PREFIX if sym else CODE_PREFIX) :])
        checked = asked_name(name, file) if ids else None
        if checked is None:
            return None
        if sym:
            return Ask(Wants.DEBUG, ids, packed=checked[1])
        return Ask(Wants.CODE, ids, None if checked[0] == ANY_NAME else checked[0], packed=checked[1])

    def paths(self, ask: Ask) -> Sequence[str]:
        """Every spelling of every id; build ids of unusual length as they are and padded to 20 bytes."""
        if ask.wants not in WHOLE_FILES:
            return ()
        name = None if ask.name is None else fold(ask.name)
        found: list[str] = []
        for one in ask.ids:
            if one.kind == BUILD:
                found += _build_paths(ask.wants, one.value, name, packed=ask.packed)
            elif one.kind in (PE, DEBUG) and name is not None:
                found += _key(name, _printed(one), packed=ask.packed)
        return tuple(dict.fromkeys(found))


def _build_paths(wants: Wants, value: str, name: str | None, *, packed: bool) -> list[str]:
    # .NET's tools pad, symbolicator and PerfView do not: both must find it. test_ssqp.py::test_padded_and_unpadded
    spellings = dict.fromkeys((value, padded_build(value)))
    found: list[str] = []
    if wants is not Wants.DEBUG:
        for text in spellings:
            found += _key(name or ANY_NAME, CODE_PREFIX + text, packed=packed)
        if name is not None:
            found += _key(name, value, packed=packed)
    if wants is not Wants.CODE:
        for text in spellings:
            found += _key(DEBUG_NAME, DEBUG_PREFIX + text, packed=packed)
    return found


def _key(name: str, text: str, *, packed: bool) -> list[str]:
    file = file_name(name, packed=packed)
    return [] if file is None else [f"{name}/{text}/{file}"]


def _printed(symbol_id: SymbolId) -> str:
    if symbol_id.kind == PE:
        return printed(symbol_id)
    guid, age = symbol_id.value[:32], symbol_id.value[32:]
    # Portable PDBs have no age: .NET's tools print eight capital Fs after a lower-case GUID.
    return guid + (age.upper() if age == PORTABLE_AGE else age)
