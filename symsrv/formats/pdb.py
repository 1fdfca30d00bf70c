"""PDB 7: Microsoft's debug files. Known by the GUID in stream 1 and the age in stream 3 (DBI)."""

from symsrv.formats.base import Reader
from symsrv.formats.structures.msf import MAGIC, Msf
from symsrv.formats.structures.pdb_streams import pdb_identity
from symsrv.model.identity import Identity


class Pdb:
    """PDB 7, of any page size."""

    name = "pdb"

    def sniff(self, head: bytes) -> bool:
        """The whole magic, or as much of it as a cut file has."""
        return head[:32] == MAGIC

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The one PDB, as `pdb_streams` reads it."""
        return (pdb_identity(Msf(data), name, format=self.name),)
