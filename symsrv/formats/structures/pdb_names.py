"""The map of a PDB's named streams, which stands behind the info stream's header (pdb-rs, `pdbi_stream.md`).

u32 size of the names, the names, u32 count, u32 capacity, two bit vectors (u32 words, the words),
count pairs of u32 offset of the name, u32 stream
"""

INFO = 1
HAS_GUID = 20000404  # VC70; a GUID stands between header and map from this version of the info stream on

SRCSRV = "srcsrv"
SOURCE_LINK = "sourcelink"
EMBEDDED = "/src/files/"


def map_offset(info: bytes) -> int:
    """Where the map of named streams begins in the info stream."""
    return 28 if int.from_bytes(info[:4], "little") >= HAS_GUID else 12


def names_in(info: bytes) -> dict[str, int] | None:
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


def source_notes(info: bytes) -> tuple[str, ...]:
    """What `identify` says about sources, if the map is whole in the bytes that it has read of the info stream."""
    if b"srcsrv" not in info and b"sourcelink" not in info and b"/src/files/" not in info:
        return ()
    names = names_in(info)
    if not names:
        return ()
    notes = []
    if SRCSRV in names:
        notes.append("source indexed (srcsrv)")
    if any(name.partition("$")[0] == SOURCE_LINK for name in names):
        notes.append("has Source Link")
    if embedded := sum(name.startswith(EMBEDDED) for name in names):
        notes.append(f"embeds {embedded} source file{'s' if embedded > 1 else ''}")
    return tuple(notes)
