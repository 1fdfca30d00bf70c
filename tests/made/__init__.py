"""Files for the tests: made by a real linker, built byte by byte, or lent by the corpus next door.

| module | gives |
|---|---|
| `zig` | `linked(target)` -> `Pair(code, debug)`: a PE and its PDB, by lld. `elf(...)` -> `Made`: a shared library |
| `pdb_builder` | `build_pdb(...)` -> bytes: PDBs that no linker makes; `write_sparse_pdb(path, ...)`: a huge one |
| `pdb2_builder` | `build_pdb2(...)` -> bytes: a PDB 2.0 of any signature, age and page size |
| `msfz_builder` | `build_msfz(...)` -> bytes: a PDB in an MSFZ container, cut into any fragments and chunks |
| `pe_builder` | `build_pe(...)` -> bytes: a PE with chosen stamp, size and CodeView records |
| `version_builder` | `versioned(...)` -> bytes: a PE with a version resource |
| `macho_builder` | `build_macho(...)`, `build_fat(...)` -> bytes: thin and fat Mach-O with chosen load commands |
| `wasm_builder` | `build_wasm(...)` -> bytes: WebAssembly with chosen sections |
| `elf_builder` | `build_elf(...)` -> bytes: an ELF of any class, byte order and notes; `build_dynamic_elf(...)` |
| `dwarf_builder` | `line_unit(...)`, `info_unit(...)` -> bytes: DWARF sections with chosen file tables |
| `minidump_builder` | `build_minidump(...)` -> bytes: a dump of any system, byte order and kinds of records |
| `core_builder` | `build_core(...)` -> bytes: an ELF core with chosen mappings and notes |
| `samples` | `SAMPLES`: one file of every format, by its name |
| `grown` | `write_grown(path, kind, size)`: a file of every format, grown with holes to any size |
| `corpus` | `entries(*kinds)`: real files with the ids that other tools give them; empty if the corpus is missing |

zig's files are made once and kept in `<temp>/symsrv-made-<hash of the recipes>`; every function returns what is there.
Ids come from what was asked of the linker or from another reader (pefile), never from symsrv itself.
"""
