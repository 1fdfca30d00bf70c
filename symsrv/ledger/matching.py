"""Matching: which files answer an ask, by role and name, once an id has led to them."""

from symsrv.model.ask import Wants
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO, SYM
from symsrv.model.ids import BUILD, CORECLR_BUILD, CORECLR_UUID, PE, UUID, WASM

GUESS = "guess"
"""A role known from the file's place alone: an id of several readings, and either kind of file."""

# Which roles answer what is wanted, the best first.
ANSWERS: dict[Wants, dict[str, int]] = {
    Wants.CODE: {CODE: 0, BOTH: 0, GUESS: 1},
    Wants.DEBUG: {DEBUG_INFO: 0, BOTH: 1, GUESS: 2},
    Wants.EITHER: {CODE: 0, BOTH: 0, DEBUG_INFO: 1, GUESS: 2},  # by a bare build id or UUID, only code is asked for
    Wants.SECTION: {DEBUG_INFO: 0, BOTH: 1, CODE: 2, GUESS: 3},
    Wants.SYM: {SYM: 0},
}
# Ids that prove what a file is, and of which kind: no name is needed beside them.
_WHOLE_PROOF = (BUILD, UUID, WASM)
# Ids that several files share: a PE image's is no hash, and a .NET runtime's stands for all that goes with it.
_SHARED = (PE, CORECLR_BUILD, CORECLR_UUID)
_PROGRAMS = ("exe", "dll", "sys", "ocx", "drv", "cpl", "scr", "efi")


def answers(wants: Wants, kind: str, role: str, row_name: str, name: str | None) -> bool:
    """Whether a file of a role, found by an id of a kind under a name, answers an ask for a name. Names are folded."""
    return role in ANSWERS[wants] and (row_name == name or may_differ(wants, kind, role, row_name, name))


def may_differ(wants: Wants, kind: str, role: str, row_name: str, name: str | None) -> bool:
    """Whether a file may answer an ask that does not name it."""
    if wants is Wants.SYM:
        # The code id is asked for under the program's name, which text symbols do not always tell.
        return kind not in _SHARED or (name is not None and _stem(row_name) == _stem(name))
    if kind in _SHARED or role == GUESS:
        return False
    if name is None or (wants is Wants.DEBUG and kind in _WHOLE_PROOF):
        return True
    return not row_name or _extension(row_name) == _extension(name)


def _extension(name: str) -> str:
    return name.rpartition(".")[2] if "." in name else ""


def _stem(name: str) -> str:
    """What the names of a program and its PDB have in common: `xul.dll`, `xul.pdb`; `chrome.dll`, `chrome.dll.pdb`."""
    stem = name.removesuffix(".pdb")
    first, _, extension = stem.rpartition(".")
    return first if extension in _PROGRAMS else stem
