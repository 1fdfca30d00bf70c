"""Portable PDBs: .NET's debug files. Known by the GUID of the `#Pdb` stream and FFFFFFFF in the place of an age."""

from symsrv.formats.base import Reader
from symsrv.formats.structures.clr_metadata import MAGIC, pdb_id, pdb_stream, read_streams
from symsrv.formats.structures.guid import breakpad_id
from symsrv.model.identity import DEBUG_INFO, Identity
from symsrv.model.ids import PORTABLE_AGE, debug_id

_CLASSIC_AGE = 1


class PortablePdb:
    """CLR metadata with a `#Pdb` stream; other metadata is refused."""

    name = "portable-pdb"

    def sniff(self, head: bytes) -> bool:
        """The four magic bytes of all CLR metadata."""
        return head[:4] == MAGIC

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The one PDB; `debug_file` is its own name.

        SSQP's key has FFFFFFFF whatever the stamp, so that a Windows PDB of the same GUID can lie beside it. Breakpad's
        form, which Sentry prints, has the stamp. A client that wants a Windows PDB asks with the age 1.
        """
        found = pdb_id(data, pdb_stream(read_streams(data)))
        identity = Identity(
            format=self.name,
            kind=DEBUG_INFO,
            name=name,
            ids=(debug_id(found.guid, PORTABLE_AGE),),
            debug_id=breakpad_id(found.guid, found.stamp),
            debug_file=name,
            symbol_kind="pri",
            also=tuple(debug_id(found.guid, age) for age in dict.fromkeys((found.stamp, _CLASSIC_AGE))),
        )
        return (identity,)
