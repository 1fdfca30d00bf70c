"""symbolicator's unified layout, `32/49d9…/debuginfo`, which symsorter writes."""

from collections.abc import Sequence

from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import BUILD, DEBUG, UUID, WASM, SymbolId, readings, swapped

_KINDS = {"executable": Wants.CODE, "debuginfo": Wants.DEBUG, "breakpad": Wants.SYM}
_IDS = (DEBUG, BUILD, UUID, WASM)
_GUID_DIGITS = 32


class Unified:
    """No names: a PE and its PDB go by the PDB's debug id, ELF and WebAssembly by build id, Mach-O by UUID."""

    name = "unified"

    def parse(self, path: str) -> Ask | None:
        """Reads `executable`, `debuginfo` and `breakpad` in the folders of an id."""
        first, _, rest = path.partition("/")
        second, _, word = rest.partition("/")
        wants = _KINDS.get(word.lower())
        if wants is None or len(first) != 2 or not second:
            return None
        ids = tuple(one for one in readings(first + second) if one.kind in _IDS)
        if wants is Wants.SYM:
            ids = tuple(dict.fromkeys((*ids, *_as_breakpad(ids))))
        return Ask(wants, ids) if ids else None

    def paths(self, ask: Ask) -> Sequence[str]:
        """One path per id and kind of file, all in lower case; there is no packed form."""
        if ask.packed:
            return ()
        words = [word for word, wants in _KINDS.items() if ask.wants is wants or _is_either(ask.wants, wants)]
        values = dict.fromkeys(one.value for one in ask.ids if one.kind in _IDS and len(one.value) > 2)
        return tuple(f"{value[:2]}/{value[2:]}/{word}" for value in values for word in words)


def _is_either(asked: Wants, wants: Wants) -> bool:
    return asked is Wants.EITHER and wants is not Wants.SYM


def _as_breakpad(ids: Sequence[SymbolId]) -> list[SymbolId]:
    """The debug ids that text symbols have for a program of this UUID or build id: 16 bytes, and 0 for an age."""
    found = [SymbolId(DEBUG, one.value + "0") for one in ids if one.kind == UUID]
    builds = (one.value[:_GUID_DIGITS].ljust(_GUID_DIGITS, "0") for one in ids if one.kind == BUILD)
    return found + [SymbolId(DEBUG, swapped(digits) + "0") for digits in builds]
