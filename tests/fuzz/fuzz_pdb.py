"""Fuzzes the readers of PDB 7, PDB 2.0 and MSFZ; see `harness.py`."""

from tests.fuzz.harness import fuzz
from tests.made.msfz_builder import DEFLATE, STORED, ZSTD, build_msfz
from tests.made.pdb2_builder import build_pdb2
from tests.made.pdb_builder import MINI, build_pdb, info_stream

if __name__ == "__main__":
    fuzz(
        "pdb7",
        "pdb2",
        "msfz",
        samples=(
            build_pdb(page_size=512),
            build_pdb(page_size=512, dbi=None, info=info_stream(features=(MINI,))),
            build_pdb2(page_size=512),
            *(build_msfz(compression=one, chunk_bytes=100, plain=()) for one in (STORED, ZSTD, DEFLATE)),
            build_msfz(directory_compression=ZSTD),
        ),
    )
