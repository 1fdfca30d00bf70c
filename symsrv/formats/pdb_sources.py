"""What a PDB says about its sources: the source server's text, Source Link, and the files embedded in it.

All of it lies in named streams. The map of names stands behind the info stream's header (pdb-rs, `pdbi_stream.md`):

    u32 size of the names, the names, u32 count, u32 capacity, two bit vectors (u32 words, the words),
    count pairs of u32 offset of the name, u32 stream
"""

from symsrv.formats.base import Reader
from symsrv.formats.msf import MAGIC, SMALL_MAGIC, Msf, SmallMsf, Streams
from symsrv.formats.msfz_container import MAGIC as MSFZ_MAGIC
from symsrv.formats.msfz_container import MsfzContainer
from symsrv.model.errors import NotIdentified

INFO = 1
HAS_GUID = 20000404  # VC70; a GUID stands between header and map from this version of the info stream on

_SRCSRV = "srcsrv"
_SOURCE_LINK = "sourcelink"
_EMBEDDED = "/src/files/"
_SOURCE_LINKS_LIMIT = 64


def map_offset(info: bytes) -> int:
    """Where the map of named streams begins in the info stream."""
    return 28 if int.from_bytes(info[:4], "little") >= HAS_GUID else 12


def named_streams(data: Reader) -> dict[str, int]:
    """The named streams of a PDB 7, PDB 2.0 or MSFZ file.

    Raises NotIdentified, as do all functions here: `unknown-format` for another file, `malformed` for a map that
    leads outside its stream, `too-complex` beyond the reader's budget.
    """
    return _names(_opened(data), data.budget)


def srcsrv(data: Reader) -> str | None:
    """The text that `pdbstr` put into the PDB for the source server; None if there is none."""
    streams = _opened(data)
    number = _names(streams, data.budget).get(_SRCSRV)
    return None if number is None else _text(streams, number, data.budget)


def source_link(data: Reader) -> str | None:
    """The Source Link JSON; the first one where the linker left several, None if there is none."""
    return next(iter(source_links(data)), None)


def source_links(data: Reader) -> tuple[str, ...]:
    """Every Source Link JSON, `sourcelink` first, then `sourcelink$1` and so on; at most 64."""
    streams = _opened(data)
    names = _names(streams, data.budget)
    found = []
    for index in range(_SOURCE_LINKS_LIMIT):
        number = names.get(f"{_SOURCE_LINK}${index}" if index else _SOURCE_LINK)
        if number is not None:
            found.append(_text(streams, number, data.budget))
    return tuple(found)


def embedded_sources(data: Reader) -> tuple[str, ...]:
    """The paths of the files embedded in the PDB: natvis files by the linker, sources by `pdbtool addsrc`."""
    return tuple(name[len(_EMBEDDED) :] for name in named_streams(data) if name.startswith(_EMBEDDED))


def source_notes(info: bytes) -> tuple[str, ...]:
    """What `identify` says about sources, if the map is whole in the bytes that it has read of the info stream."""
    if b"srcsrv" not in info and b"sourcelink" not in info and b"/src/files/" not in info:
        return ()
    names = _names_in(info)
    if not names:
        return ()
    notes = []
    if _SRCSRV in names:
        notes.append("source indexed (srcsrv)")
    if any(name.partition("$")[0] == _SOURCE_LINK for name in names):
        notes.append("has Source Link")
    if embedded := sum(name.startswith(_EMBEDDED) for name in names):
        notes.append(f"embeds {embedded} source file{'s' if embedded > 1 else ''}")
    return tuple(notes)


def _opened(data: Reader) -> Streams:
    """The container, by its magic."""
    head = data.up_to(0, len(SMALL_MAGIC))
    if head.startswith(MAGIC):
        return Msf(data)
    if head.startswith(MSFZ_MAGIC):
        return MsfzContainer(data)
    if head == SMALL_MAGIC:
        return SmallMsf(data)
    raise NotIdentified("unknown-format", "it is not a PDB")


def _names(streams: Streams, budget: int) -> dict[str, int]:
    """The map of an open container."""
    info = _whole(streams, INFO, budget)
    names = _names_in(info) if len(info) > map_offset(info) else {}
    if names is None:
        raise NotIdentified("malformed", "its map of named streams leads outside the info stream")
    return names


def _names_in(info: bytes) -> dict[str, int] | None:
    """The map in these bytes of the info stream; None if it does not end in them."""

    def number(offset: int) -> int:
        return int.from_bytes(info[offset : offset + 4], "little")

    start = map_offset(info) + 4
    at = start + number(start - 4)
    names = info[start:at]
    count = number(at)
    at += 8
    for _ in range(2):
        at += 4 + 4 * number(at)
    if at + 8 * count > len(info):
        return None
    found: dict[str, int] = {}
    left = len(names)  # names do not share bytes, so that a short map cannot come to much text
    for pair in range(at, at + 8 * count, 8):
        offset = number(pair)
        end = names.find(b"\0", offset)
        left -= end + 1 - offset
        if end < 0 or left < 0:
            return None
        found[names[offset:end].decode("utf-8", "replace")] = number(pair + 4)
    return found


def _text(streams: Streams, stream: int, budget: int) -> str:
    """A stream as text: UTF-8, with or without a byte order mark; other bytes become replacement characters."""
    return _whole(streams, stream, budget).decode("utf-8-sig", "replace")


def _whole(streams: Streams, stream: int, budget: int) -> bytes:
    """A stream that is not larger than the reader's budget."""
    size = streams.size(stream)
    if size > budget:
        raise NotIdentified("too-complex", f"stream {stream} has {size} bytes, more than the {budget} allowed")
    return streams.read(stream, 0, size)
