"""Files compressed as a whole by gzip, bzip2, xz or zstd: a tar, or one file.

Which of the two shows only when the first block is unpacked: of 512 compressed bytes bzip2 and zstd may give none.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from symsrv.model.names import base_name
from symsrv.packing.base import HEAD_BYTES, Limits, Member
from symsrv.packing.decoders import Decoder, Unzstd, bzip2_decoder, gzip_decoder, unpacked, xz_decoder
from symsrv.packing.streams import Unpacked
from symsrv.packing.tally import Tally
from symsrv.packing.tar_entries import BLOCK_BYTES, looks_like_tar, tar_members

_GZIP = b"\x1f\x8b\x08"
_BZIP2 = b"BZh"
_BZIP2_BLOCKS = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")  # a block, and the end of an empty file
_DECODERS: dict[bytes, Callable[[], Decoder]] = {
    _GZIP: gzip_decoder,
    _BZIP2: bzip2_decoder,
    b"\xfd7zXZ\0": xz_decoder,
    b"\x28\xb5\x2f\xfd": Unzstd,
}
_ENDINGS = (".gz", ".bz2", ".xz", ".zst")


class Compressed:
    """Files that begin with the magic of a compressor."""

    name = "compressed"

    def sniff(self, head: bytes) -> bool:
        """By the magic; bzip2's is short, so the mark of its first block is looked at too."""
        return _decoder(head) is not None

    def members(self, path: Path, limits: Limits) -> Iterator[Member]:
        """Those of the tar inside, or one, named as the file is without its ending.

        Everything that is unpacked counts against the limits, also what is passed over: nothing can be skipped here.
        """
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            decoder = _decoder(head)
            if decoder is None:
                return
            stream = _stream(file, decoder, limits)
            if looks_like_tar(stream.peek(BLOCK_BYTES)):
                yield from tar_members(stream, limits)
            else:
                yield Member(_name(path.name, head), source=stream.rest)
            for _ in stream.rest():
                pass  # so that a checksum behind the tar's end is looked at


def _stream(file: BinaryIO, decoder: Callable[[], Decoder], limits: Limits) -> Unpacked:
    file.seek(0)
    tally = Tally(limits, os.fstat(file.fileno()).st_size)
    return Unpacked(unpacked(decoder, file.read, many=True), tally)


def _decoder(head: bytes) -> Callable[[], Decoder] | None:
    if head.startswith(_BZIP2) and (
        head[3:4] not in tuple(b"%d" % n for n in range(1, 10)) or head[4:10] not in _BZIP2_BLOCKS
    ):
        return None
    return next((one for magic, one in _DECODERS.items() if head.startswith(magic)), None)


def _name(name: str, head: bytes) -> str:
    """The file's own name without its ending; else the one that gzip wrote into it (RFC 1952, FNAME); else its own."""
    for ending in _ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return _name_inside(head) or name


def _name_inside(head: bytes) -> str:
    if not head.startswith(_GZIP) or not head[3] & 8:
        return ""
    start = 10 + (2 + int.from_bytes(head[10:12], "little") if head[3] & 4 else 0)
    text, end, _ = head[start:].partition(b"\0")
    return base_name(text.decode("latin-1")) if end else ""
