"""A sample of every format, by its name: what the contract suite, the bounds and the fuzzers begin with."""

from tests.made.dbg_builder import build_dbg, coff_symbols
from tests.made.elf_builder import DEBUG, TEXT, build_elf
from tests.made.macho_builder import build_macho
from tests.made.minidump_builder import build_minidump
from tests.made.msfz_builder import build_msfz
from tests.made.pdb2_builder import build_pdb2
from tests.made.pdb_builder import build_pdb
from tests.made.pe_builder import Entry, build_pe, nb10, rsds
from tests.made.portable_builder import build_portable
from tests.made.wasm_builder import build_wasm

# A new format joins all three with one line here.
SAMPLES = {
    "pe": build_pe([Entry(rsds()), Entry(nb10(), by_address=True)]),
    "dbg": build_dbg([Entry(nb10()), Entry(rsds()), Entry(coff_symbols(), kind=1)]),
    "pdb": build_pdb(page_size=512),
    "pdb2": build_pdb2(page_size=512),
    "msfz": build_msfz(),
    "portable-pdb": build_portable(["/src/a.cs"], source_link="{}"),
    "elf": build_elf((TEXT, DEBUG)),
    "macho": build_macho(),
    "wasm": build_wasm(),
    "breakpad": b"MODULE windows x86 3249D99D0C4049318610F4E4FB0B69361 a.pdb\nINFO CODE_ID 5AB380779000 a.exe\n",
    "perfmap": b"FFFFFFFF 00 734D59D6DE0E96AA3C77B3E2ED498097\nFFFFFFFE 00 1\n000115D0 0D F\n",
    "minidump": build_minidump(),
}
