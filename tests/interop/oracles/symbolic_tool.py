"""What symbolic says, Sentry's library: it reads nearly every format."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.interop.oracles.answers import BUILD_ID, CODE_ID, DEBUG_ID, NONE, UUIDS, Answer, joined, plain


def symbolic(files: Iterable[Path], kind: str) -> dict[Path, Answer]:
    """The ids of every object in each file."""
    library = pytest.importorskip("symbolic.debuginfo")  # it has no wheels for Windows
    return {path: _answer(library.Archive, path, kind) for path in files}


def _answer(archive: Any, path: Path, kind: str) -> Answer:
    try:
        found = list(archive.open(str(path)).iter_objects())
    except Exception as error:  # its errors have no common type
        return Answer(refused=repr(error))
    debug_ids = joined(_breakpad(one.debug_id) for one in found)
    code_ids = joined(one.code_id for one in found)
    if kind == "macho":
        return Answer({UUIDS: joined(plain(one) for one in code_ids.split()), DEBUG_ID: debug_ids})
    fields = {DEBUG_ID: debug_ids}
    if kind == "pe":
        fields[CODE_ID] = code_ids
    elif kind in ("elf", "wasm"):
        fields[BUILD_ID] = code_ids
    return Answer(fields)


def _breakpad(text: str | None) -> str:
    """The id with its age, which symbolic leaves out if it is zero. A PDB 2.0's is shorter."""
    guid, _, age = (text or "").rpartition("-")
    if len(plain(text)) <= 16:
        return plain(text)
    if not text or len(text) == 36:
        return f"{plain(text)}0" if plain(text) else NONE
    return f"{plain(guid)}{age}" if plain(guid) else NONE
