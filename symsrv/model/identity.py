"""Identity: what a file turned out to be, and which asks it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import BUILD, SymbolId

CODE = "code"
DEBUG_INFO = "debug"
BOTH = "both"


@dataclass(frozen=True, slots=True)
class Identity:
    """One thing a file is; most files are one, a fat Mach-O is one per slice.

    `ids` are the file's own, the canonical one first. `code_id` and `debug_id` are printed for people and
    tools: stamp+size in symstore's case or a build id; the debug id in Breakpad's form (32 digits + age).
    For a PE, `debug_id` and `debug_file` name the PDB it was linked with. `symbol_kind` is column 4 of
    `refs.ptr`: `bin`, `pri` (private symbols), `pub` (stripped) or `typ` (types only).
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

    def asks(self) -> tuple[Ask, ...]:
        """The asks this file answers, the one that names its home first."""
        if self.ids[0].kind != BUILD:
            return (Ask(Wants.CODE if self.kind == CODE else Wants.DEBUG, self.ids, self.name),)
        code = Ask(Wants.CODE, self.ids, self.name)
        debug = Ask(Wants.DEBUG, self.ids)  # debuggers know a separate ELF debug file by its build id alone
        return {CODE: (code,), DEBUG_INFO: (debug,)}.get(self.kind, (code, debug))

    def answers(self, wants: Wants) -> bool:
        """Whether a file of this kind can satisfy an ask of that kind."""
        if wants is Wants.CODE:
            return self.kind in (CODE, BOTH)
        if wants is Wants.DEBUG:
            return self.kind in (DEBUG_INFO, BOTH)
        return wants is not Wants.SYM

    def to_record(self) -> dict[str, Any]:
        """The identity as a transaction document keeps it; what is empty is left out."""
        values = {key: getattr(self, key) for key in self.__dataclass_fields__}
        record = {key: value for key, value in values.items() if value not in (None, ())}
        record["ids"] = [[one.kind, one.value] for one in self.ids]
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The inverse of `to_record`; fields of later versions are ignored."""
        known = {key: record[key] for key in cls.__dataclass_fields__ if key in record}
        known["ids"] = tuple(SymbolId(kind, value) for kind, value in record["ids"])
        known["notes"] = tuple(record.get("notes", ()))
        return cls(**known)
