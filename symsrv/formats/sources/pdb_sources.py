"""What a PDB says about its sources: the source server's text, Source Link, and the files embedded in it.

All of it lies in named streams.
"""

from symsrv.formats.base import Reader
from symsrv.formats.structures.msf import MAGIC, SMALL_MAGIC, Msf, SmallMsf, Streams
from symsrv.formats.structures.msfz_container import MAGIC as MSFZ_MAGIC
from symsrv.formats.structures.msfz_container import MsfzContainer
from symsrv.formats.structures.pdb_names import EMBEDDED, INFO, SOURCE_LINK, SRCSRV, map_offset, names_in
from symsrv.model.errors import NotIdentified

_SOURCE_LINKS_LIMIT = 64


def named_streams(data: Reader) -> dict[str, int]:
    """The named streams of a PDB 7, PDB 2.0 or MSFZ file.

    Raises NotIdentified, as do all functions here: `unknown-format` for another file, `malformed` for a map that
    leads outside its stream, `too-complex` beyond the reader's budget.
    """
    return _names(_opened(data), data.budget)


def srcsrv(data: Reader) -> str | None:
    """The text that `pdbstr` put into the PDB for the source server; None if there is none."""
    streams = _opened(data)
    number = _names(streams, data.budget).get(SRCSRV)
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
        number = names.get(f"{SOURCE_LINK}${index}" if index else SOURCE_LINK)
        if number is not None:
            found.append(_text(streams, number, data.budget))
    return tuple(found)


def embedded_sources(data: Reader) -> tuple[str, ...]:
    """The paths of the files embedded in the PDB: natvis files by the linker, sources by `pdbtool addsrc`."""
    return tuple(name[len(EMBEDDED) :] for name in named_streams(data) if name.startswith(EMBEDDED))


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
    names = names_in(info) if len(info) > map_offset(info) else {}
    if names is None:
        raise NotIdentified("malformed", "its map of named streams leads outside the info stream")
    return names


def _text(streams: Streams, stream: int, budget: int) -> str:
    """A stream as text: UTF-8, with or without a byte order mark; other bytes become replacement characters."""
    return _whole(streams, stream, budget).decode("utf-8-sig", "replace")


def _whole(streams: Streams, stream: int, budget: int) -> bytes:
    """A stream that is not larger than the reader's budget."""
    size = streams.size(stream)
    if size > budget:
        raise NotIdentified("too-complex", f"stream {stream} has {size} bytes, more than the {budget} allowed")
    return streams.read(stream, 0, size)
