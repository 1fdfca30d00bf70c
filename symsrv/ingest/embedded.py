"""Embedded PDBs: a .NET image that holds its own portable PDB gives two files, each published at its own key."""

import os
from collections.abc import Sequence
from pathlib import Path

from symsrv.formats.base import FileReader
from symsrv.formats.embedded import find, pieces
from symsrv.ingest.results import FileResult, problem
from symsrv.ingest.sources import Source, read_error
from symsrv.ingest.unpacking import Spool, spooled
from symsrv.model.errors import ArchiveError, NotIdentified, SourceError
from symsrv.model.identity import CODE, Identity
from symsrv.model.ids import DEBUG, PORTABLE_AGE

_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def may_embed(identities: Sequence[Identity]) -> bool:
    """Whether a file may hold a PDB, by its ids alone: an image that was built with a portable one."""
    return any(
        one.kind == DEBUG and one.value.endswith(f"{PORTABLE_AGE:x}")
        for identity in identities
        if identity.kind == CODE
        for one in identity.also
    )


def embedded(source: Source, path: Path, identities: Sequence[Identity], spool: Spool) -> Source | FileResult | None:
    """The PDB inside of an image as a source (`x.dll!x.pdb`), what is wrong with it, or None if there is none.

    `path` is where the image's bytes lie now; the source is the caller's to drop.
    """
    name = next((one.debug_file for one in identities if one.debug_file), None) or f"{Path(source.file_name).stem}.pdb"
    try:
        descriptor = os.open(path, _OPEN)
        try:
            data = FileReader(descriptor)
            found = find(data)
            if found is None:
                return None
            name = found.name or name
            return spooled(source, name, pieces(data, found), spool)
        finally:
            os.close(descriptor)
    except (ArchiveError, NotIdentified, SourceError) as error:
        return problem(f"{source.label}!{name}", error)
    except OSError as error:
        return problem(f"{source.label}!{name}", read_error(error, source.label))
