"""The members of a tar archive, from a stream (POSIX pax, ustar; GNU's and V7's dialects)."""

from collections.abc import Iterator
from dataclasses import dataclass

from symsrv.model.errors import ArchiveError
from symsrv.packing.base import Limits, Member
from symsrv.packing.streams import Body, Stream
from symsrv.packing.tally import Count, damaged, too_much, unsupported

BLOCK_BYTES = 512
EXTENDED_BYTES = 1 << 20  # a name or a pax header; PATH_MAX is 4096, and GNU tar bounds neither

_FILES = (b"0", b"\0", b"7")
_KINDS = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"6": "a pipe"}
_FOLDER = b"5"
_FOLDERS_WITH_DATA = (b"D", b"V")  # GNU: a list of names, a volume's label
_NEGATIVE = bytes(range(128, 256))
_LONG_NAME, _LONG_LINK, _PAX, _PAX_SOLARIS, _PAX_GLOBAL, _SPARSE = b"L", b"K", b"x", b"X", b"g", b"S"


@dataclass(frozen=True, slots=True)
class _Header:
    name: bytes
    size: int
    kind: bytes
    map_follows: bool


def looks_like_tar(block: bytes) -> bool:
    """Whether a file's first block is a tar header: by its magic, or (V7) by its checksum."""
    return len(block) >= BLOCK_BYTES and (block[257:262] == b"ustar" or _sums(block[:BLOCK_BYTES]))


def tar_members(stream: Stream, limits: Limits) -> Iterator[Member]:
    """The members in their order; what is no file has a problem, folders are left out but counted.

    Raises ArchiveError if a header's checksum is wrong, or the stream ends before the block of zeros that closes it.
    """
    count = Count(limits)
    while (header := _next_header(stream)) is not None:
        count.add()
        extended: dict[bytes, bytes] = {}
        while header.kind in (_LONG_NAME, _LONG_LINK, _PAX, _PAX_SOLARIS, _PAX_GLOBAL):
            data = _extension(stream, header.size)
            if header.kind in (_PAX, _PAX_SOLARIS):
                extended.update(_pax_records(data))
            elif header.kind == _LONG_NAME:
                extended[b"path"] = data.partition(b"\0")[0]
            count.add()
            following = _next_header(stream)
            if following is None:
                return
            header = following
        yield from _member(stream, header, extended)


def _member(stream: Stream, header: _Header, extended: dict[bytes, bytes]) -> Iterator[Member]:
    name = extended.get(b"GNU.sparse.name") or extended.get(b"path") or header.name
    if header.kind == _SPARSE and header.map_follows:
        _skip_sparse_map(stream)
    sparse = header.kind == _SPARSE or any(key.startswith(b"GNU.sparse.") for key in extended)
    size = _decimal(extended[b"size"]) if b"size" in extended else header.size
    if header.kind in _KINDS or header.kind == _FOLDER:
        size = 0
    body = Body(stream, size)
    text = name.decode("utf-8", errors="replace")
    problem: ArchiveError | None = None
    if header.kind in _KINDS:
        problem = ArchiveError("not-a-file", f"{text[:80]!r} is {_KINDS[header.kind]} in the archive; add the file")
    elif sparse:
        problem = unsupported(f"{text[:80]!r} is a sparse file; pack it without tar's --sparse")
    elif header.kind not in _FILES and header.kind not in _FOLDERS_WITH_DATA and header.kind != _FOLDER:
        problem = unsupported(f"{text[:80]!r} is a tar member of type {header.kind!r}")
    folder = header.kind == _FOLDER or header.kind in _FOLDERS_WITH_DATA or (problem is None and text.endswith("/"))
    if not folder:
        yield Member(text, size, problem, body.pieces)
    body.leave()
    stream.skip(-size % BLOCK_BYTES)


def _next_header(stream: Stream) -> _Header | None:
    block = stream.read(BLOCK_BYTES)
    if len(block) < BLOCK_BYTES:
        raise damaged("it ends without tar's closing block")
    if not any(block):
        return None
    if not _sums(block):
        raise damaged("the checksum of a tar header is wrong")
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0]
    if prefix and block[257:263] == b"ustar\0":
        name = prefix + b"/" + name
    return _Header(name, _number(block[124:136]), block[156:157], bool(block[482]))


def _sums(block: bytes) -> bool:
    """Whether the checksum is right; old tars summed signed bytes."""
    try:
        stated = int(block[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        return False
    rest = block[:148] + b" " * 8 + block[156:]
    total = sum(rest)
    return stated in (total, total - 256 * (BLOCK_BYTES - len(rest.translate(None, _NEGATIVE))))


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256 when the first bit is set."""
    if field[0] & 0x80:
        number = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
        if field[0] & 0x40 or number >> 63:
            raise damaged("a tar header states an impossible size")
        return number
    digits = field.partition(b"\0")[0].strip()
    try:
        return int(digits or b"0", 8) if digits.isdigit() or not digits else _refuse()
    except ValueError:
        return _refuse()


def _refuse() -> int:
    raise damaged("a tar header states a size that is no number")


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 19:
        return _refuse()
    return int(text)


def _extension(stream: Stream, size: int) -> bytes:
    if size > EXTENDED_BYTES:
        raise too_much(f"a tar header of {size} bytes")
    data = stream.read(size)
    if len(data) < size:
        raise damaged("it ends in the middle of a tar header")
    stream.skip(-size % BLOCK_BYTES)
    return data


def _pax_records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Records `<length> <key>=<value>\\n`, the length counting itself (POSIX.1-2001, pax)."""
    at = 0
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + 20)
        digits = data[at:space] if space > 0 else b""
        end = at + int(digits) if digits.isdigit() else 0
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if end <= space + 1 or end > len(data) or data[end - 1 : end] != b"\n" or not equals:
            raise damaged("a pax header does not hold records")
        yield key, value
        at = end


def _skip_sparse_map(stream: Stream) -> None:
    """GNU's old sparse files: blocks of a map follow the header as long as byte 504 says so."""
    block = stream.read(BLOCK_BYTES)
    while len(block) == BLOCK_BYTES and block[504]:
        block = stream.read(BLOCK_BYTES)
