"""Decoding: taking off what a file came wrapped in, whether the server said so or not, or said something else.

What counts are the bytes: a Content-Encoding that they do not bear out is passed over with a note. So a file that is
gzipped twice, a cabinet under the plain name, and a plain file that is called gzip all come out right.
"""

import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

from symsrv.formats import recognised
from symsrv.mirror.base import WrongContent
from symsrv.mirror.verdicts import HEAD_BYTES, looks_like_html
from symsrv.model.errors import ArchiveError
from symsrv.packing import Limits, Member, kind_of, members
from symsrv.packing.decoders import Inflate, unpacked

AT_ONCE = threading.BoundedSemaphore(max(2, min(8, os.cpu_count() or 2)))
"""Unpacking takes a processor, and for its window up to 128 MiB: no more is done at once than helps."""
LAYERS = 3
"""A Content-Encoding around a file that is compressed at rest, and one more for luck."""
MEMBER_BYTES = 16 << 30
_RATIO = 4000  # as the store's own: a cabinet of zeros is a thousandth of them
_MAGIC = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
_NOTHING = ("", "identity", "none", "binary", "aws-chunked")


def looks_like_html_in(head: bytes | memoryview, encoding: str | None) -> bool:
    """Whether a body that begins so is a page for people, unpacked if it has to be."""
    first = bytes(head[:HEAD_BYTES])
    if encoding and first.startswith(_MAGIC["gzip"]):
        try:
            first = zlib.decompressobj(31).decompress(first, HEAD_BYTES)
        except zlib.error:
            return False
    return looks_like_html(first)


def unwrapped(path: Path, encoding: str | None, *, limit: int | None = None) -> tuple[Path, list[str]]:
    """The plain file, in the same folder, and what was odd about how it came. The wrapped one is left alone.

    `limit` is how many bytes it may have. Raises WrongContent (`damaged`, `several-files`, `too-big`, `bad-encoding`).
    """
    notes, plain = [], path
    word = (encoding or "").strip().lower()
    try:
        if word == "deflate" and _head(path)[:1] == b"\x78":
            plain = _written(_inflated(path), path, number=0)
        elif word not in _NOTHING and not _head(path).startswith(_MAGIC.get(word, b"never")):
            notes.append(f"it said Content-Encoding {word[:20]}, which it was not")
        for number in range(1, LAYERS + 1):
            head = _head(plain)
            if recognised(head) or kind_of(head) is None:
                break
            inner = _written(_only_member(plain, limit), path, number=number)
            if plain != path:
                plain.unlink(missing_ok=True)
            plain = inner
    except ArchiveError as error:
        if plain != path:
            plain.unlink(missing_ok=True)
        if error.reason == "archive-limit":
            raise WrongContent("too-big", f"what comes out of it is too large: {error}") from error
        raise WrongContent("damaged", f"it cannot be unpacked: {error}") from error
    return plain, notes


def _only_member(path: Path, limit: int | None) -> Iterator[bytes]:
    most = MEMBER_BYTES if limit is None else limit
    limits = Limits(members=16, member_bytes=most, total_bytes=most, ratio=_RATIO)
    inside = cast("closing[Iterator[Member]]", closing(members(path, limits)))  # type: ignore[type-var]
    with inside as found:
        first = next(found, None)
        if first is None:
            raise WrongContent("damaged", "nothing is in the archive that it came in")
        yield from first.pieces()
        if next(found, None) is not None:
            raise WrongContent("several-files", "it came in an archive with more than one file")


def _inflated(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from unpacked(lambda: Inflate(15), file.read)


def _written(pieces: Iterator[bytes], beside: Path, *, number: int) -> Path:
    target = beside.with_suffix(f".plain{number}")
    try:
        with AT_ONCE, target.open("wb", buffering=0) as file:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[file.write(view) :]
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
