"""`/buildid/<hex>/section/<name>`: one section of an ELF file, from its debug file or else its code file."""

from collections.abc import Sequence

from symsrv.formats.base import FileReader, Reader
from symsrv.formats.contents import section
from symsrv.model.errors import ArchiveError, Missing, NotIdentified
from symsrv.model.records import StoredFile
from symsrv.store import Opened, SymbolStore

READ_BUDGET_BYTES = 16 << 20


class UnreadyError(Exception):
    """A file that is kept compressed has to be unpacked before it can be opened, which is a thread's work."""


def open_plain(store: SymbolStore, file: StoredFile, *, fill: bool) -> Opened:
    """Opens what a stored file is when unpacked; raises UnreadyError, without `fill`, if that has still to be done."""
    opened = store.open_plain(file, fill=fill)
    if opened is None:
        raise UnreadyError
    return opened


class RemoteReader(Reader):
    """Reads a file that has no descriptor here, one ranged request a piece."""

    def __init__(self, store: SymbolStore, file: StoredFile, size: int) -> None:
        super().__init__(size, READ_BUDGET_BYTES)
        self._store = store
        self._file = file

    def _fetch(self, offset: int, size: int) -> bytes:
        opened = self._store.open(self._file, offset, size)
        try:
            return opened.stream.read(size)
        finally:
            opened.close()


def open_section(
    store: SymbolStore, files: Sequence[StoredFile], name: str, *, fill: bool = True
) -> tuple[Opened, StoredFile, tuple[int, int]] | None:
    """Opens the first of the files that has the section's bytes, with their offset and size in it."""
    for file in files:
        try:
            opened = open_plain(store, file, fill=fill)
        except (Missing, ArchiveError):
            continue
        span = None
        try:
            if opened.descriptor is not None:
                reader: Reader = FileReader(opened.descriptor, READ_BUDGET_BYTES)
            else:
                reader = RemoteReader(store, file, opened.stat.size)
            found = section(reader, name)
            if found is not None and found.size and found.offset + found.size <= opened.stat.size:
                span = (found.offset, found.size)
        except (NotIdentified, Missing):
            pass
        finally:
            if span is None:
                opened.close()
        if span is not None:
            return opened, file, span
    return None
