"""Pointing: what an ask gets where there is only a `file.ptr`, which is the file it leads to, if that belongs there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from symsrv.backends.base import Backend, Opened
from symsrv.backends.disk import Disk
from symsrv.formats import identify
from symsrv.formats.base import FileReader
from symsrv.layouts import keys
from symsrv.model.errors import ArchiveError, BadName, NotIdentified, StoreError
from symsrv.model.names import base_name, fold
from symsrv.model.records import CAB, StoredFile
from symsrv.store import microsoft
from symsrv.store.copies import Copies
from symsrv.store.finding import Lead
from symsrv.store.pointers import follow


@dataclass(frozen=True, slots=True)
class Led:
    """The file that a pointer led to, or why there is none: a word of `Pointed`, or one of these.

    `pointer-wrong-id`: what is there does not carry the id of the pointer's place. `pointer-damaged`: it is compressed
    and cannot be unpacked. The stat of what is opened has the pointer's path; there is no descriptor, since the file
    may lie behind a network.
    """

    opened: Opened | None = None
    reason: str = ""


class Pointing:
    """Follows the pointers of one store below some folders; `copies` is a folder for what has to be unpacked."""

    def __init__(self, backend: Backend, roots: Sequence[Path], copies: Path) -> None:
        self._backend = backend
        self._roots = roots
        self._copies = copies
        self._unpacking: dict[str, Copies] = {}

    def open(self, lead: Lead) -> Led:
        """Opens what a pointer leads to, identified by the bytes that will be read; may wait for a network."""
        pointed = follow(self._backend, lead.home, self._roots)
        if pointed.target is None:
            return Led(reason=pointed.reason)
        # The target has no links in it; Disk follows none either, should one be put there meanwhile.
        anchor = pointed.target.anchor
        path = pointed.target.relative_to(anchor).as_posix()
        try:
            place = Disk(Path(anchor), read_only=True)
            opened = place.open(path)
            if not _carries(opened, lead.path) and path.endswith("_"):
                opened.close()
                opened = self._unpacked(place, path)
        except ArchiveError:
            return Led(reason="pointer-damaged")
        except (StoreError, OSError):
            return Led(reason="pointer-gone")
        if not _carries(opened, lead.path):
            opened.close()
            return Led(reason="pointer-wrong-id")
        return Led(Opened(replace(opened.stat, path=lead.home), opened.stream))

    def _unpacked(self, place: Disk, path: str) -> Opened:
        copies = self._unpacking.setdefault(place.url, Copies(place, self._copies))
        opened = copies.open(StoredFile(path, 0, encoding=CAB))
        if opened is None:
            raise ArchiveError("archive-damaged", f"{path} was not unpacked")
        return opened


def _carries(opened: Opened, path: str) -> bool:
    """Whether opened bytes belong where a file is asked for, by their own ids."""
    folder, _, name = path.rpartition("/")
    try:
        if opened.descriptor is None:
            return False
        found = identify(FileReader(opened.descriptor), base_name(name))
        return fold(f"{microsoft.one_tier(folder)}/{name}") in {fold(key) for one in found for key in keys(one)}
    except (NotIdentified, BadName, OSError):
        return False
