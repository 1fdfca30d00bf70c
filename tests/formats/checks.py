"""What every format is held to, and what other readers say. Imported by the tests of this folder."""

import json
import sys
import tracemalloc
from pathlib import Path

import pytest

from symsrv.formats import identify
from symsrv.formats.base import READ_BUDGET_BYTES, BytesReader
from symsrv.layouts import keys
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import Identity
from tests.made.corpus import Entry

needs_symbolic = pytest.mark.skipif(sys.platform == "win32", reason="symbolic has no wheels for Windows")

# The manifest's arch words are those of the tools that found them.
ARCH_WORDS = {"386": "x86", "aarch64": "arm64", "68k": "m68k", "s390": "s390x", "riscv": "riscv64", "unknown": "cil"}


def identified(data: bytes, name: str = "made.bin") -> Identity:
    found = identify(BytesReader(data), name)
    assert len(found) == 1
    return found[0]


def refused(data: bytes) -> str:
    with pytest.raises(NotIdentified) as caught:
        identify(BytesReader(data), "made.bin")
    assert str(caught.value)
    return caught.value.reason


def survives(data: bytes) -> Identity | None:
    """Identified or NotIdentified, within the budget of bytes and of memory; anything else fails the test."""
    reader = BytesReader(data)
    tracemalloc.start()
    try:
        found = identify(reader, "made.bin")
    except NotIdentified:
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * READ_BUDGET_BYTES
        assert reader.bytes_read <= READ_BUDGET_BYTES + (1 << 20)
    assert all(one.ids and json.dumps(one.to_record()).isprintable() for one in found)
    return found[0]


def check_against_manifest(entry: Entry, found: Identity) -> None:
    for field in ("code_id", "debug_id", "build_id"):
        assert (getattr(found, field) or "").lower() == (entry.expected.get(field) or "").lower(), field
    assert found.arch == ARCH_WORDS.get(entry.arch or "", entry.arch)


def symbolic_object(path: Path):
    symbolic = pytest.importorskip("symbolic.debuginfo")
    return next(iter(symbolic.Archive.open(str(path)).iter_objects()))


def check_keys(entry: Entry, found: Identity) -> None:
    """The key under which peers and Microsoft's tools ask for the file itself."""
    wanted = {one["key"].lower() for one in entry.keys if one["role"].startswith("identity")}
    assert wanted
    assert wanted <= {key.lower() for key in keys(found)}
