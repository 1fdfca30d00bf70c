"""What is said of a file: by symsrv, or by another tool, field by field and in one spelling."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from symsrv.formats import identify_path
from symsrv.formats.base import FileReader
from symsrv.formats.loading.elf_needed import needed
from symsrv.formats.loading.pe_imports import imported_libraries
from symsrv.formats.macho import loaded_libraries, slices
from symsrv.model.errors import BadName, NotIdentified
from symsrv.model.identity import Identity
from symsrv.model.ids import DEBUG, PE, printed

BUILD_ID = "build id"
DEBUG_ID = "debug id"
CODE_ID = "code id"
UUIDS = "uuids"
PDB_IDS = "pdb ids"
PDB_NAME = "pdb name"
LOADS = "loads"

NONE = ""


@dataclass(frozen=True)
class Answer:
    """The fields that a tool speaks of; an empty text says that there is none.

    `more` is what only rules look at. `refused` is a tool's reason for not reading the file at all.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""


def plain(text: str | None) -> str:
    """An id in small letters without braces and dashes; what is missing or all zeros is none."""
    digits = re.sub(r"[{}\s-]", "", text or "").lower()
    return digits if digits.strip("0") else NONE


def guid_and_age(guid: str, age: int) -> str:
    """Breakpad's form of a PDB's id."""
    return f"{plain(guid)}{age:x}" if plain(guid) else NONE


def joined(values: object) -> str:
    """Several values as one text, in a fixed order and each once."""
    return " ".join(sorted({str(one) for one in values if one}))  # type: ignore[attr-defined]


def ours(path: Path, kind: str) -> Answer:
    """What symsrv says."""
    try:
        found = identify_path(path, "file")
    except (NotIdentified, BadName) as error:
        return Answer(refused=error.reason)
    return Answer(_FIELDS[kind](path, found), {"kind": found[0].kind, "notes": "; ".join(found[0].notes)})


def _elf(path: Path, found: tuple[Identity, ...]) -> dict[str, str]:
    with path.open("rb") as file:
        libraries = needed(FileReader(file.fileno()))
    return {
        BUILD_ID: found[0].build_id or NONE,
        DEBUG_ID: plain(found[0].debug_id),
        LOADS: joined(libraries),
    }


def _pe(path: Path, found: tuple[Identity, ...]) -> dict[str, str]:
    one = found[0]
    with path.open("rb") as file:
        libraries = imported_libraries(FileReader(file.fileno()))
    return {
        CODE_ID: plain(one.code_id),
        DEBUG_ID: plain(one.debug_id),
        PDB_IDS: joined(printed(other).lower() for other in one.also if other.kind in (DEBUG, PE)),
        PDB_NAME: one.debug_file or NONE,
        LOADS: joined(name.lower() for name in libraries),
    }


def _debug_file(path: Path, found: tuple[Identity, ...]) -> dict[str, str]:
    # A PDB without DBI has no age, and is printed without an id; it is filed by its GUID all the same.
    return {DEBUG_ID: plain(found[0].debug_id) or found[0].ids[0].value}


def _macho(path: Path, found: tuple[Identity, ...]) -> dict[str, str]:
    with path.open("rb") as file:
        data = FileReader(file.fileno())
        libraries = [name for part in slices(data) for name in loaded_libraries(data, part.offset)]
    return {
        LOADS: joined(libraries),
        UUIDS: joined(one.ids[0].value for one in found),
        DEBUG_ID: joined(plain(one.debug_id) for one in found),
    }


def _wasm(path: Path, found: tuple[Identity, ...]) -> dict[str, str]:
    return {BUILD_ID: found[0].build_id or NONE, DEBUG_ID: plain(found[0].debug_id)}


_FIELDS = {
    "elf": _elf,
    "pe": _pe,
    "pdb": _debug_file,
    "portable-pdb": _debug_file,
    "macho": _macho,
    "wasm": _wasm,
    "breakpad": _debug_file,
}
KINDS = tuple(_FIELDS)
