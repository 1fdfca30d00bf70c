"""Identity: what a file turned out to be, and which asks it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import BUILD, CORECLR_BUILD, CORECLR_UUID, DEBUG, UUID, SymbolId

CODE = "code"
DEBUG_INFO = "debug"
BOTH = "both"
SYM = "sym"
BREAKPAD = "breakpad"
"""The format of Breakpad's text symbols: the only one that is asked for by the name of another file."""

_WHOLE = {CODE: Wants.CODE, DEBUG_INFO: Wants.DEBUG, BOTH: Wants.EITHER}


@dataclass(frozen=True, slots=True)
class Identity:
    """One thing a file is; most files are one, a fat Mach-O is one per slice.

    `ids` are those that paths are made of, the canonical one first; `also` are further ones it can be found by: the
    PDB's for a PE, Breakpad's for an ELF file; a file whose own id that is comes before it. `code_id` and `debug_id`
    are printed for people and tools: stamp+size in symstore's case or a build id; the debug id in Breakpad's form
    (32 digits + age).
    For a PE, `debug_id` and `debug_file` name the PDB it was linked with; for Breakpad's text symbols, the file they
    were made from, under whose name they are asked for, and `code_file` the program. `symbol_kind` is column 4 of
    `refs.ptr`: `bin`, `pri` (private symbols), `pub` (stripped) or `typ` (types only). `unfit` is the reason word of a
    file that has ids and still does not belong in a store, as it is of no use elsewhere; its first note says why.
    """

    format: str
    kind: str
    name: str
    ids: tuple[SymbolId, ...]
    arch: str | None = None
    code_id: str | None = None
    debug_id: str | None = None
    debug_file: str | None = None
    build_id: str | None = None
    symbol_kind: str = "bin"
    notes: tuple[str, ...] = ()
    also: tuple[SymbolId, ...] = ()
    code_file: str | None = None
    unfit: str | None = None

    @property
    def role(self) -> str:
        """What it is good for: `code`, `debug`, `both`, or `sym` for Breakpad's text symbols."""
        return SYM if self.format == BREAKPAD else self.kind

    @property
    def asked_name(self) -> str:
        """The name under which clients ask for it: its own, or that of the file that text symbols were made from."""
        return self.debug_file if self.format == BREAKPAD and self.debug_file else self.name

    def asks(self) -> tuple[Ask, ...]:
        """The asks this file answers, the one that names its home first."""
        if self.role == SYM:
            return self._sym_asks()
        kind = self.ids[0].kind
        # Of the further ids, only those that say the same in another way are spelled under the file's own name.
        ids = self.ids + tuple(one for one in self.also if one.kind == kind)
        runtimes = tuple(one for one in self.also if one.kind != kind and one.kind in (CORECLR_BUILD, CORECLR_UUID))
        companion = (Ask(Wants.EITHER, runtimes, self.name),) if runtimes else ()
        if kind not in (BUILD, UUID):
            return (Ask(_WHOLE[self.kind], ids, self.name), *companion)
        code = Ask(Wants.CODE, ids, self.name)
        debug = Ask(Wants.DEBUG, ids)  # debuggers know a separate debug file by its id alone
        return (*{CODE: (code,), DEBUG_INFO: (debug,)}.get(self.kind, (code, debug)), *companion)

    def _sym_asks(self) -> tuple[Ask, ...]:
        debug_ids = tuple(one for one in self.also if one.kind == DEBUG)
        code_ids = tuple(one for one in self.also if one.kind != DEBUG)
        by_debug_file = Ask(Wants.SYM, self.ids + debug_ids, self.asked_name)
        if not code_ids or not self.code_file:
            return (by_debug_file,)
        return (by_debug_file, Ask(Wants.SYM, code_ids, self.code_file))

    def answers(self, wants: Wants) -> bool:
        """Whether a file of this kind can satisfy an ask of that kind."""
        if self.role == SYM or wants is Wants.SYM:
            return self.role == SYM and wants is Wants.SYM
        if wants is Wants.CODE:
            return self.kind in (CODE, BOTH)
        if wants is Wants.DEBUG:
            return self.kind in (DEBUG_INFO, BOTH)
        return True

    def to_record(self) -> dict[str, Any]:
        """The identity as a transaction document keeps it; what is empty is left out."""
        values = {key: getattr(self, key) for key in self.__dataclass_fields__}
        record = {key: value for key, value in values.items() if value not in (None, ())}
        for field in ("ids", "also"):
            if ids := getattr(self, field):
                record[field] = [[one.kind, one.value] for one in ids]
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The inverse of `to_record`; fields of later versions are ignored."""
        known = {key: record[key] for key in cls.__dataclass_fields__ if key in record}
        for field in ("ids", "also"):
            known[field] = tuple(SymbolId(kind, value) for kind, value in record.get(field, ()))
        known["notes"] = tuple(record.get("notes", ()))
        return cls(**known)
