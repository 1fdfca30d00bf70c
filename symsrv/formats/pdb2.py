"""PDB 2.0: the debug files of Visual C++ up to 6.0. Known by a time and an age, as they had no GUID yet."""

import struct

from symsrv.formats.base import Reader
from symsrv.formats.structures.machines import coff_machine
from symsrv.formats.structures.msf import SMALL_MAGIC, SmallMsf
from symsrv.formats.structures.pdb_names import INFO, source_notes
from symsrv.formats.structures.pdb_streams import DBI, FRONT_BYTES, UNFIT_NOTES, read_dbi, symbol_kind, unfit_for_stores
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import DEBUG_INFO, Identity
from symsrv.model.ids import PE, SymbolId

_INFO_HEADER = struct.Struct("<3I")
_OLDEST = 19941610  # VC2; microsoft-pdb, pdb.h


class Pdb2:
    """PDB 2.0, in its small MSF container."""

    name = "pdb2"

    def sniff(self, head: bytes) -> bool:
        """The whole magic."""
        return head.startswith(SMALL_MAGIC)

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The one PDB.

        Its id is that of the NB10 record in the image: the signature, a time, as eight digits, then the age without
        padding (SymSrv's `msvcrt.pdb/37a8f40e2`). As in PDB 7 the age of the DBI stream counts, the info stream's if
        there is none or it is of before VC 6.0.
        """
        streams = SmallMsf(data)
        info_head = streams.read(INFO, 0, FRONT_BYTES)
        if len(info_head) < _INFO_HEADER.size:
            raise NotIdentified("no-id", "a PDB 2.0 without an info stream: it has no signature")
        version, signature, age = _INFO_HEADER.unpack_from(info_head)
        if version < _OLDEST:
            raise NotIdentified("malformed", f"{version} is no version of an info stream")
        dbi_head = streams.read(DBI, 0, FRONT_BYTES)
        dbi = read_dbi(dbi_head)
        if dbi and dbi.age:
            age = dbi.age
        kind, notes = symbol_kind(streams, dbi, dbi_head)
        notes = ("PDB 2.0", *notes, *source_notes(info_head))
        unfit = unfit_for_stores(name)
        if unfit:
            notes = (UNFIT_NOTES[unfit], *notes)
        elif not streams.size(DBI):
            notes = (*notes, "a compiler's database: no debugger asks for it")
        identity = Identity(
            format="pdb",
            kind=DEBUG_INFO,
            name=name,
            ids=(SymbolId(PE, f"{signature:08x}{age:x}"),),
            arch=coff_machine(dbi.machine) if dbi and dbi.machine else None,
            debug_id=f"{signature:08X}{age:x}",
            debug_file=name,
            symbol_kind=kind,
            notes=notes,
            unfit=unfit,
        )
        return (identity,)
