"""What is fuzzed: the table `TARGETS`. A target runs on bytes and raises for whatever is no answer and no refusal.

Every format, every kind of archive, and everything else that looks into files has one; `test_targets.py` holds that.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from symsrv.formats import FORMATS, contents, embedded, identify, modules
from symsrv.formats.base import HEAD_BYTES, READ_BUDGET_BYTES, BytesReader, Format, Reader
from symsrv.formats.loading import pe_version
from symsrv.layouts import keys
from symsrv.model.errors import ArchiveError, NotIdentified
from symsrv.packing import ARCHIVES, Archive, Limits
from symsrv.packing import HEAD_BYTES as ARCHIVE_HEAD_BYTES
from symsrv.packing.base import PIECE_BYTES
from symsrv.packing.guard import guarded
from tests.fuzz import seeds

NAME = "fuzz.bin"
LIMITS = Limits(members=64, member_bytes=256 << 10, total_bytes=1 << 20, free_bytes=512 << 10)
SECTIONS = (".text", ".debug_info", ".gdb_index")
OUTPUT_LIMIT_BYTES = 4 << 20  # of an embedded PDB; a real one may have a gigabyte, which is the disk's business


class Find(Exception):
    """What fuzzing is for."""


@dataclass(frozen=True)
class Target:
    """`once` runs on any bytes; `seeds` are those to begin with."""

    once: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]


def identified(one: Format | None, data: bytes) -> None:
    """A format by itself, whatever the magic; None: the door of the room, which asks all of them."""
    reader = BytesReader(data)
    try:
        if one is None:
            found = identify(reader, NAME)
        else:
            one.sniff(data[:HEAD_BYTES])
            found = tuple(one.identify(reader, NAME))
    except NotIdentified as error:
        refused(error)
        return
    finally:
        bounded(reader, READ_BUDGET_BYTES)
    for identity in found:
        if not identity.ids or not all(identity.ids):
            raise Find(f"identified without an id: {identity}")
        printable(identity.to_record())
        if not all(keys(identity)):
            raise Find(f"a key is empty: {identity}")


def unpacked(one: Archive, data: bytes) -> None:
    """All members of an archive with their bytes; files of odd sizes: every second of them."""
    path = spooled(data)
    one.sniff(data[:ARCHIVE_HEAD_BYTES])
    total = 0
    try:
        for number, member in enumerate(guarded(one.members(path, LIMITS), LIMITS, len(data))):
            if number >= LIMITS.members:
                raise Find("too many members")
            member.name.encode("utf-8", "surrogatepass")
            if number & len(data) & 1:
                continue
            try:
                for piece in member.pieces():
                    total += len(piece)
                    if not 0 < len(piece) <= PIECE_BYTES or total > LIMITS.total_bytes:
                        raise Find(f"a piece of {len(piece)} bytes, {total} in all")
            except ArchiveError as error:
                refused(error)
    except ArchiveError as error:
        refused(error)


def listed(data: bytes) -> None:
    """The modules of a dump, a core or a program."""
    reader = BytesReader(data, modules.MODULES_BUDGET_BYTES)
    try:
        for one in modules.modules(reader, NAME):
            printable(one.to_record(), surrogates=True)
    except NotIdentified as error:
        refused(error)
    bounded(reader, modules.MODULES_BUDGET_BYTES)


def looked_into(data: bytes) -> None:
    """The contents of a file, and some sections of it."""
    reader = BytesReader(data, contents.CONTENTS_BUDGET_BYTES)
    try:
        found = contents.contents(reader, NAME)
        if found is not None:
            printable(found.to_record(), surrogates=True)
        for name in SECTIONS:
            span = contents.section(reader, name)
            if span is not None and span.offset + span.size > len(data):
                raise Find(f"{name} lies outside the file")
    except NotIdentified as error:
        refused(error)
    bounded(reader, contents.CONTENTS_BUDGET_BYTES)


def carried(data: bytes) -> None:
    """What an image carries: its version, and a PDB."""
    try:
        pe_version.version(BytesReader(data))
    except NotIdentified as error:
        refused(error)
    reader, total = BytesReader(data), 0
    try:
        found = embedded.find(reader)
        for piece in embedded.pieces(reader, found) if found else ():
            total += len(piece)
            if not 0 < len(piece) <= embedded.PIECE_BYTES or total > found.size:
                raise Find(f"a piece of {len(piece)} bytes, {total} of {found.size} in all")
            if total > OUTPUT_LIMIT_BYTES:
                break
    except (ArchiveError, NotIdentified) as error:
        refused(error)


def refused(error: ArchiveError | NotIdentified) -> None:
    """A refusal has a reason word and a sentence that can be shown."""
    if not error.reason or not str(error).isprintable():
        raise Find(f"a refusal that cannot be shown: {error!r}")


def printable(record: object, *, surrogates: bool = False) -> None:
    """A record is JSON; `surrogates`: text of the file itself may be broken, which JSON can say."""
    json.dumps(record, ensure_ascii=surrogates, allow_nan=False).encode()


def bounded(reader: Reader, budget: int) -> None:
    """Every reader ends with the one read that was too much."""
    if reader.bytes_read > budget + reader.size:
        raise Find(f"{reader.bytes_read} bytes read")


def spooled(data: bytes) -> Path:
    """The bytes as a file; `run.py` sees to it that it lies in memory, where that can be."""
    path = _spool()
    path.write_bytes(data)
    return path


def forget() -> None:
    """Removes what `spooled` has left."""
    _spool().unlink(missing_ok=True)


def _spool() -> Path:
    return Path(tempfile.gettempdir()) / f"symsrv-fuzz-{os.getpid()}.bin"


def _table() -> Iterator[tuple[str, Target]]:
    for one in FORMATS:
        yield one.name, Target(partial(identified, one), partial(seeds.of_format, one))
    yield (
        "any-format",
        Target(partial(identified, None), lambda: [seed for one in FORMATS for seed in seeds.of_format(one)]),
    )
    for kind in ARCHIVES:
        yield kind.name, Target(partial(unpacked, kind), partial(seeds.of_archive, kind))
    for name, made in seeds.PROGRAMS.items():
        yield f"modules-{name}", Target(listed, made)
    for name, made in seeds.CONTENTS.items():
        yield f"contents-{name}", Target(looked_into, made)
    yield "embedded", Target(carried, seeds.images)


TARGETS = dict(_table())
