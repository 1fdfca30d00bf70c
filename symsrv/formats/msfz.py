"""MSFZ: a PDB in Microsoft's compressed container. Known by the PDB's id, asked for in the folder `msfz0`."""

from symsrv.formats.base import Reader
from symsrv.formats.structures.msfz_container import MAGIC, MsfzContainer
from symsrv.formats.structures.pdb_streams import pdb_identity
from symsrv.model.identity import Identity
from symsrv.model.ids import MSFZ


class Msfz:
    """PDBs in an MSFZ container, under either extension."""

    name = "msfz"

    def sniff(self, head: bytes) -> bool:
        """The magic."""
        return head.startswith(MAGIC)

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The one PDB in it.

        Its ids are of a kind of their own, so that a client that did not ask for MSFZ never gets one: the key is
        `<name>.pdb/<id>/msfz0/<name>.pdb` (SSQP key conventions, "PDZ"). `msfz.md` proposes the extension `.pdz`, but
        clients only know the name in the image, which ends in `.pdb`.
        """
        asked = name[:-1] + ("B" if name[-1] == "Z" else "b") if name.lower().endswith(".pdz") else name
        return (pdb_identity(MsfzContainer(data), asked, format=self.name, id_kind=MSFZ),)
