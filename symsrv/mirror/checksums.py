"""Checksums: whether a portable PDB is the very one that its program was built with, where the program told.

Deterministic builds give the same id to files that differ. The program's header has a checksum of its PDB (dotnet/
runtime, PE-COFF.md, type 19), which clients send as `SymbolChecksum: SHA256:<hex>` and hold what comes against.
"""

import hashlib
from pathlib import Path

from symsrv.formats import opened
from symsrv.formats.structures.clr_metadata import MAGIC, pdb_stream, read_streams
from symsrv.model.errors import NotIdentified

_ALGORITHMS = {"sha1": "sha1", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512"}
_ID_BYTES = 20
_BLOCK_BYTES = 1 << 20


def matches(path: Path, expected: str) -> bool | None:
    """Whether a file has one of the checksums, `SHA256:<hex>[,SHA384:<hex>…]`; None if that cannot be told.

    It can only of portable PDBs, and by algorithms that are known. Raises OSError.
    """
    wanted = {}
    for one in expected.split(","):
        name, _, digits = one.strip().partition(":")
        algorithm = _ALGORITHMS.get(name.lower().replace("-", ""))
        if algorithm:
            wanted[algorithm] = digits.strip().lower()
    at = _place_of_id(path) if wanted else None
    if at is None:
        return None
    return any(_digest(path, algorithm, at) == digits for algorithm, digits in wanted.items())


def _place_of_id(path: Path) -> int | None:
    try:
        with opened(path) as data:
            return pdb_stream(read_streams(data)).offset if data.up_to(0, len(MAGIC)) == MAGIC else None
    except NotIdentified:
        return None


def _digest(path: Path, algorithm: str, at: int) -> str:
    """Of the whole file, in which the id counts as zeros."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        digest.update(file.read(at))
        digest.update(bytes(len(file.read(_ID_BYTES))))
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
