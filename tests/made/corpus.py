"""The corpus of real files beside the repository, or at $SYMSRV_CORPUS: its entries with their expected ids."""

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("SYMSRV_CORPUS") or Path(__file__).resolve().parents[3] / "shared" / "corpus")


@dataclass(frozen=True)
class Entry:
    """One file: `name` is its own name (the corpus may keep it under another), `expected` and `keys` as README says."""

    path: Path
    where: str
    kind: str
    name: str
    expected: dict[str, Any]
    keys: tuple[dict[str, Any], ...]
    arch: str | None


@cache
def all_entries() -> tuple[Entry, ...]:
    """Every file of the manifest; none if there is no corpus."""
    manifest = FOLDER / "MANIFEST.json"
    if not manifest.is_file():
        return ()
    files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    return tuple(
        Entry(
            path=FOLDER / one["path"],
            where=one["path"],
            kind=one["kind"],
            name=one["name"],
            expected=one.get("expected") or {},
            keys=tuple(one.get("keys") or ()),
            arch=one.get("arch") if isinstance(one.get("arch"), str) else None,
        )
        for one in files
    )


def entries(*kinds: str) -> list[Any]:
    """The entries of these kinds (`pe`, `pdb7`, `elf`…; all if none is named) as pytest parameters.

    Without the corpus: one parameter that is skipped and says why.
    """
    found = [one for one in all_entries() if not kinds or one.kind in kinds]
    if not found:
        reason = f"no corpus of real files at {FOLDER}; set SYMSRV_CORPUS"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="no-corpus")]
    return [pytest.param(one, id=one.where) for one in found]


def in_folders(*folders: str) -> list[Any]:
    """The entries in these folders of the corpus, as `entries` gives them."""
    return [one for one in entries() if one.values[0] is None or one.values[0].where.split("/")[0] in folders]
