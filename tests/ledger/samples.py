"""Files, entries and transactions to put into an index."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from symsrv.layouts import home
from symsrv.ledger.index import Index
from symsrv.model.identity import Identity
from symsrv.model.ids import PORTABLE_AGE, UUID, SymbolId, build_id, debug_id, pe_id, wasm_id
from symsrv.model.records import Entry, Status, StoredFile, Transaction

GUID = "3249d99d0c4049318610f4e4fb0b6936"
WHEN = datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=UTC)
BUILD = build_id(bytes.fromhex("001ba81f23966cf77e40bcbb0701cd34"))

EXE = Identity("pe", "code", "Crash.exe", (pe_id(0x5AB38077, 0x9000),), debug_file="crash.pdb")
PDB = Identity("pdb", "debug", "crash.pdb", (debug_id(GUID, 1),), arch="x86", symbol_kind="pri", notes=("a note",))
ELF = Identity("elf", "code", "libCrash.so", (BUILD,))
ELF_DEBUG = Identity("elf", "debug", "libCrash.so.debug", (BUILD,))
ELF_BOTH = Identity("elf", "both", "unstripped", (BUILD,))
MACH = Identity("macho", "code", "Crash", (SymbolId(UUID, "67e9247c814e392ba027dbde6748fcbf"),))
DSYM = replace(MACH, kind="debug")
WASM = Identity("wasm", "both", "Main.wasm", (wasm_id(b"\xda" * 20), wasm_id(b"\x14" + b"\xda" * 20)))
MSFZ_PDB = Identity("msfz", "debug", "Crash.pdb", (SymbolId("msfz", f"{GUID}1"),))
PERFMAP = Identity("r2rmap", "debug", "A.ni.r2rmap", (SymbolId("r2rmap", f"1-{GUID}"),))
DAC = Identity("elf", "code", "libmscordaccore.so", (BUILD,), also=(SymbolId("build-coreclr", "ef" * 20),))
SYM_FILE = Identity("breakpad", "debug", "Crash.sym", (debug_id(GUID, 1),), debug_file="crash.pdb", also=EXE.ids)
STAMP = 0xCFB0FC89
PORTABLE = Identity(
    "portable-pdb",
    "debug",
    "crash.pdb",
    (debug_id(GUID, PORTABLE_AGE),),
    also=(debug_id(GUID, STAMP), debug_id(GUID, 1)),
)


def pdb(name: str = "crash.pdb", age: int | None = 1, guid: str = GUID) -> Identity:
    return Identity("pdb", "debug", name, (debug_id(guid, age),))


def exe(name: str = "crash.exe", size: int = 0x9000) -> Identity:
    return Identity("pe", "code", name, (pe_id(0x5AB38077, size),))


def elf(name: str, kind: str, symbol_id: SymbolId = BUILD) -> Identity:
    return Identity("elf", kind, name, (symbol_id,))


def entry(identity: Identity, status: Status = Status.STORED, **fields: Any) -> Entry:
    values = {"source": f"C:\\out\\{identity.name}", "size": 100, "sha256": "ab" * 32, "modified_ns": 7} | fields
    return Entry(values.pop("home", home(identity)), status=status, identities=(identity,), **values)


def add(number: int, *entries: Entry, **fields: Any) -> Transaction:
    return Transaction(number, "add", WHEN, "11/21/2026,01:02:03", entries=entries, **fields)


def drop(number: int, *deletes: int, **fields: Any) -> Transaction:
    return Transaction(number, "del", WHEN, "11/21/2026,01:02:03", deletes=deletes, **fields)


def stored(identity: Identity, **fields: Any) -> StoredFile:
    values = {"size": 100, "sha256": "ab" * 32, "modified_ns": 7} | fields
    return StoredFile(home(identity), identities=(identity,), **values)


def record_many(url: str) -> None:
    """Fifty adds and a delete of the first, in a process of its own."""
    index = Index(url)
    for number in range(1, 51):
        index.record(add(number, entry(pdb(f"a{number}.pdb")), entry(pdb("shared.pdb"), Status.PRESENT)))
    index.record(drop(51, 1))
    index.close()
