"""Modules: what a crash dump, a core or a program had loaded, and the ids by which its symbols are asked for."""

from dataclasses import dataclass
from typing import Any

from symsrv.model.ids import SymbolId


@dataclass(frozen=True, slots=True)
class Module:
    """One loaded file. `path` is as the dump has it, `name` its last component (not checked: it is text from outside).

    `code_ids` and `debug_ids` are those of the program and of its debug file, best first. `code_id`, `debug_id` and
    `build_id` are printed as in an Identity; `debug_file` is as the dump has it. `base` and `size` are the addresses'.
    """

    name: str
    path: str
    code_ids: tuple[SymbolId, ...] = ()
    debug_ids: tuple[SymbolId, ...] = ()
    code_id: str | None = None
    debug_id: str | None = None
    debug_file: str | None = None
    build_id: str | None = None
    version: str | None = None
    base: int | None = None
    size: int | None = None

    def to_record(self) -> dict[str, Any]:
        """The line of `identify --modules --json`."""
        return {
            "name": self.name,
            "path": self.path,
            "code_id": self.code_id,
            "debug_id": self.debug_id,
            "debug_file": self.debug_file,
            "build_id": self.build_id,
            "version": self.version,
            "base": self.base,
            "size": self.size,
        }
