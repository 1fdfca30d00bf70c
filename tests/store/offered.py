"""Files that are said to be something, and publishing them: what is found by the index alone needs no real ones."""

from pathlib import Path

from symsrv.layouts import home
from symsrv.model.identity import Identity
from symsrv.model.ids import SymbolId, debug_id, pe_id
from symsrv.store import Draft, Offer, SymbolStore

GUID = "3249d99d0c4049318610f4e4fb0b6936"
BUILD = SymbolId("build", "dfb85de42daffd09640c8fe377d572de3e168920")
PDB = Identity("pdb", "debug", "crash.pdb", (debug_id(GUID, 1),))
EXE = Identity("pe", "code", "crash.exe", (pe_id(0x5AB38077, 0x9000),), also=PDB.ids, debug_file="crash.pdb")
SYM = Identity("breakpad", "debug", "crash.sym", PDB.ids, debug_file="crash.pdb")
ELF = Identity("elf", "code", "libfoo.so", (BUILD,))
ELF_DEBUG = Identity("elf", "debug", "libfoo.so.debug", (BUILD,))


def put_into(
    store: SymbolStore,
    folder: Path,
    identity: Identity,
    *,
    data: bytes = b"bytes",
    version: str = "1.0",
    replacing: bool = False,
) -> int:
    """Publishes bytes as this; returns the transaction's number."""
    path = folder / "source"
    path.write_bytes(data)
    staged = store.stage(path)
    offer = Offer(path, str(path), home(identity), staged.size, staged.sha256, (identity,), staged)
    return store.commit(Draft((offer,), product="app", version=version, replace=replacing)).number
