"""Ask: what someone wants, out of any dialect. The one place where text from outside becomes a checked name."""

from dataclasses import dataclass
from enum import StrEnum

from symsrv.model.ids import SymbolId


class Wants(StrEnum):
    """Which kind of file would satisfy an ask."""

    CODE = "code"
    DEBUG = "debug"
    EITHER = "either"
    SYM = "sym"
    SECTION = "section"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted: the kind, every reading of the id best first, the name or None for any.

    `name` went through `checked_name` and keeps the asker's case. `detail` is the section's name for
    SECTION, and for SYM the leaf's name as asked. `packed` asks for the compressed twin (`foo.pd_`).
    """

    wants: Wants
    ids: tuple[SymbolId, ...]
    name: str | None = None
    detail: str | None = None
    packed: bool = False
