"""Fuzzes the PE reader; see `harness.py`."""

from tests.fuzz.harness import fuzz
from tests.made.pe_builder import Entry, build_pe, nb10, rsds

if __name__ == "__main__":
    fuzz(
        "pe",
        samples=(
            build_pe([Entry(rsds()), Entry(nb10(), by_address=True)]),
            build_pe([Entry(rsds(), minor=0x504D)], wide=False),
        ),
    )
