"""Pairing: says of a program or a debug file that its other half is neither in this publish nor in the store.

These are notes and never failures, so they cost little: what is paired here is not looked for, a store is asked a
bounded number of times, and the index only where it is nearly up to date and lies beside the store.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from symsrv.layouts import home
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BadName, StoreError
from symsrv.model.identity import CODE, DEBUG_INFO, Identity
from symsrv.model.ids import BUILD, DEBUG, PE, SymbolId
from symsrv.model.names import fold
from symsrv.store import SymbolStore

LOOKS = 200
"""How often a store is asked; of the files after that nothing is said."""

NEAR = 16
"""How many transactions an index may be behind to be brought up to date for this."""

_PAIRED = (DEBUG, PE)  # the ids of PDBs, the latter of PDB 2.0
_WITH_UNWIND_DATA = frozenset({"x86_64", "arm64", "arm64ec", "arm64x", "ia64"})


class Shelves:
    """What the store is known to have, as far as that can be told cheaply; without a store, nothing."""

    def __init__(self, store: SymbolStore | None) -> None:
        self._store = store
        self._left = LOOKS
        self._blank: bool | None = None
        self._near: bool | None = None

    def lacks_debug_file(self, program: Identity) -> bool:
        """Whether the PDB of a program is not where it would lie; False where that cannot be told."""
        pdb = replace(program, kind=DEBUG_INFO, ids=program.also[:1], also=(), name=program.debug_file or "")
        return self._asked(lambda store: all(store.look(home(replace(pdb, name=name))) is None for name in _cases(pdb)))

    def lacks_program(self, ids: Sequence[SymbolId]) -> bool:
        """Whether no program goes with a debug file of these ids; False where that cannot be told."""
        return self._asked(
            lambda store: (
                self._is_blank(store) or (self._is_near(store) and not store.find(Ask(Wants.CODE, tuple(ids))))
            )
        )

    def _asked(self, question: Callable[[SymbolStore], bool]) -> bool:
        if self._store is None:
            return True
        if not self._left:
            return False
        self._left -= 1
        try:
            return question(self._store)
        except (StoreError, BadName):
            return False

    def _is_blank(self, store: SymbolStore) -> bool:
        """Whether nothing was ever put into the store, so that no index need be loaded to know what it lacks."""
        if self._blank is None:
            self._blank = store.local and not _last(store) and next(store.files(), None) is None
        return self._blank

    def _is_near(self, store: SymbolStore) -> bool:
        if self._near is None:
            self._near = store.local and _last(store) - store.index.applied() <= NEAR
            if self._near:
                store.catch_up()
        return self._near


def _last(store: SymbolStore) -> int:
    return int(store.admin_file("lastid.txt") or b"0")


def unpaired(files: Sequence[Sequence[Identity]], shelves: Shelves) -> dict[int, str]:
    """What is to be said of files, by their positions."""
    programs: set[str] = set()
    debug_files: set[str] = set()
    for identities in files:
        for one in identities:
            (programs if one.kind == CODE else debug_files).update(_halves(one))
            if one.kind not in (CODE, DEBUG_INFO):
                programs.update(_halves(one))
    found: dict[int, str] = {}
    for position, identities in enumerate(files):
        for one in identities[:1]:
            note = _note(one, programs, debug_files, shelves)
            if note is not None:
                found[position] = note
    return found


def _note(one: Identity, programs: set[str], debug_files: set[str], shelves: Shelves) -> str | None:
    halves = set(_halves(one))
    if one.kind == CODE and one.debug_file and one.also and halves.isdisjoint(debug_files):
        if shelves.lacks_debug_file(one):
            return f"its PDB {one.debug_file} is neither among these files nor in the store"
    elif one.role == DEBUG_INFO and halves.isdisjoint(programs):  # text symbols carry their unwind data
        if one.ids[0].kind in _PAIRED and one.arch in _WITH_UNWIND_DATA and one.symbol_kind != "typ":
            if shelves.lacks_program(one.ids):
                return (
                    "its program is neither among these files nor in the store;"
                    " the unwind data of 64-bit programs lies in the exe or dll"
                )
        elif one.ids[0].kind == BUILD and shelves.lacks_program(one.ids):
            return "its program is neither among these files nor in the store"
    return None


def _halves(one: Identity) -> Iterator[str]:
    """By what a program and its debug file know each other."""
    for symbol_id in (*one.ids, *one.also):
        if symbol_id.kind in (DEBUG, BUILD) or (symbol_id.kind == PE and one.kind != CODE):
            yield symbol_id.value
    if one.kind == CODE:
        yield from (symbol_id.value for symbol_id in one.also if symbol_id.kind == PE)


def _cases(pdb: Identity) -> Iterable[str]:
    """The spellings of a PDB's name: the linker's, and the one that file systems without cases like best."""
    return dict.fromkeys((pdb.name, fold(pdb.name)))
