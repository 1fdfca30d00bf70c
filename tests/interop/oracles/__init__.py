"""Independent oracles: other tools read the same files as symsrv, and every id is compared.

| module | has |
|---|---|
| `answers` | what symsrv and a tool say of a file, in one spelling |
| `material` | the files: made, built, of this machine, out of wheels, lent by the corpus |
| `wheels` | the pinned wheels for Windows and macOS, kept in the user's cache |
| `built` | files that no linker at hand makes |
| `elf_tools`, `pe_tools`, `pdb_tools`, `other_tools`, `symbolic_tool`, `dump_syms` | the tools, by format |
| `inside` | modules of cores and sources of DWARF, by symsrv and the tools |
| `rules` | the disagreements that are understood: each a name, a reason and a check of the very values |
| `table` | what was compared, counted by format and tool, as a Markdown table |

A difference that no rule explains fails the test. The table is printed in the summary of the run.
"""
