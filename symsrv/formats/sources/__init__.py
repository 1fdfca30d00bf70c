"""Where a debug file says its source comes from: DWARF, streams of PDBs, tables of portable PDBs."""
