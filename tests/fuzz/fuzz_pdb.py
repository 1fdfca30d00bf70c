"""Fuzzes the PDB reader; see `harness.py`."""

from tests.fuzz.harness import fuzz
from tests.made.pdb_builder import MINI, build_pdb, info_stream

if __name__ == "__main__":
    fuzz(
        "pdb7",
        samples=(build_pdb(page_size=512), build_pdb(page_size=512, dbi=None, info=info_stream(features=(MINI,)))),
    )
