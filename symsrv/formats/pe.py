"""PE images: exe, dll, sys, efi and all others with a `PE` header. Known by TimeDateStamp and SizeOfImage."""

from symsrv.formats.base import Reader
from symsrv.formats.structures.pe_debug import (
    CHECKSUM,
    EMBEDDED,
    MISC,
    RECORD_LIMIT_BYTES,
    DebugEntry,
    checksum_text,
    image_entries,
    image_record,
    linked,
    misc_name,
)
from symsrv.formats.structures.pe_headers import DEBUG_STRIPPED, Image
from symsrv.formats.structures.pe_kinds import kind_notes, machine_word
from symsrv.model.identity import CODE, Identity
from symsrv.model.ids import pe_id, printed


class Pe:
    """Portable Executable, 32 and 64 bits, of any machine."""

    name = "pe"

    def sniff(self, head: bytes) -> bool:
        """An MZ stub; whether a PE header follows shows later."""
        return head[:2] == b"MZ"

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The image, with the first CodeView entry as its PDB; a broken debug directory is only noted."""
        image = Image(data)
        entries, notes = image_entries(image)
        pdb = linked(entries, lambda entry: image_record(image, entry))
        arch, hybrid = machine_word(image)
        notes += [*pdb.notes, *_debug_notes(image, entries), *([hybrid] if hybrid else []), *kind_notes(image)]
        symbol_id = pe_id(image.headers.stamp, image.headers.image_size)
        identity = Identity(
            format=self.name,
            kind=CODE,
            name=name,
            ids=(symbol_id,),
            arch=arch,
            code_id=printed(symbol_id),
            debug_id=pdb.debug_id,
            debug_file=pdb.debug_file,
            notes=tuple(notes),
            also=pdb.also,
        )
        return (identity,)


def _debug_notes(image: Image, entries: list[DebugEntry]) -> list[str]:
    """What the other entries of the debug directory say, each kind once."""
    notes: dict[int, str] = {}
    for entry in entries:
        if entry.kind in notes:
            continue
        if entry.kind == EMBEDDED:
            notes[EMBEDDED] = "it embeds its portable PDB"
        elif entry.kind == CHECKSUM:
            text = checksum_text(_record(image, entry))
            if text:
                notes[CHECKSUM] = f"the checksum of its PDB is {text}"
        elif entry.kind == MISC and image.headers.flags & DEBUG_STRIPPED:
            file = misc_name(_record(image, entry))
            if file:
                notes[MISC] = f"its debug information was moved to {file}"
    return list(notes.values())


def _record(image: Image, entry: DebugEntry) -> bytes:
    """The bytes of an entry that has no signature, by the pointer that linkers fill in."""
    return image.window(entry.pointer, min(entry.size, RECORD_LIMIT_BYTES))
