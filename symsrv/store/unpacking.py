"""Unpacking what is compressed at rest, and packing what is to be; as streams, and believed only when checked."""

import contextlib
import hashlib
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from symsrv.backends.base import Backend, Staged
from symsrv.backends.failures import refusals
from symsrv.model.errors import ArchiveError, Missing
from symsrv.packing import Limits, members, write_cab

# A cabinet of zeros is a thousandth of them; who may write to the store could as well put the zeros there.
LIMITS = Limits(members=16, ratio=4000)
_BLOCK_BYTES = 1 << 20


def unpacked(backend: Backend, path: str) -> Iterator[bytes]:
    """The bytes of the file that lies compressed at a path, in pieces; raises Missing or ArchiveError.

    It is the first member of the archive, whatever kind that is. What is damaged may show behind the last piece only.
    """
    with local_file(backend, path) as local:
        yield from _first_member(local)


def packing_fault(backend: Backend, path: str) -> str | None:
    """Why what lies compressed at a path cannot be unpacked; None if it can. Raises Missing."""
    try:
        for _ in unpacked(backend, path):
            pass
    except ArchiveError as error:
        return str(error)
    return None


@contextlib.contextmanager
def local_file(backend: Backend, path: str) -> Iterator[Path]:
    """A file on this machine with the bytes at a path: the stored one, or a copy that is dropped; raises Missing."""
    if backend.stat(path) is None:
        raise Missing(path)
    local = backend.local(path)
    if local is not None:
        yield local
        return
    with tempfile.TemporaryDirectory(prefix="symsrv-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder, "copy")
        with copy.open("wb") as writing:
            for piece in stored_pieces(backend, path):
                writing.write(piece)
        yield copy


def stored_pieces(backend: Backend, path: str) -> Iterator[bytes]:
    """The bytes at a path as they lie there; raises Missing."""
    opened = backend.open(path)
    try:
        while block := opened.stream.read(_BLOCK_BYTES):
            yield block
    finally:
        opened.close()


def pack(backend: Backend, staged: Staged, *, name: str) -> Staged:
    """Stages the compressed form of staged bytes, checked by unpacking it again. The plain ones stay as they are.

    Raises ArchiveError if what comes out is not what went in.
    """
    packed = staged.local.with_name(f"{uuid.uuid4().hex}.cab")
    try:
        with refusals(f"compressing {name}"):
            write_cab(staged.local, packed, name=name)
        if measured(_first_member(packed)) != (staged.size, staged.sha256):
            raise ArchiveError("archive-damaged", f"{name} did not come back out of its cabinet; nothing was stored")
        return backend.stage(packed)
    finally:
        packed.unlink(missing_ok=True)


def measured(pieces: Iterable[bytes]) -> tuple[int, str]:
    """How many bytes pieces come to, and their sha256."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def _first_member(path: Path) -> Iterator[bytes]:
    inside = members(path, LIMITS)
    try:
        first = next(inside, None)
        if first is None:
            raise ArchiveError("archive-damaged", f"nothing is in {path.name}")
        yield from first.pieces()
    finally:
        inside.close()  # type: ignore[attr-defined]  # a generator, though its type does not say so
