"""PDBs that no linker makes: any page size, any age, nil streams, no DBI, directories of many pages, gigabytes.

`build_pdb(...)` returns the bytes, `write_sparse_pdb(path, size)` writes a file of any size that takes little room.
Both have GUID_TEXT; with the defaults the id is GUID_TEXT + "1".
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

GUID = bytes(range(0x10, 0x20))
GUID_TEXT = "13121110151417161819" + "1a1b1c1d1e1f"
MAGIC = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0"
NIL = 0xFFFFFFFF
PAGE_SIZES = tuple(512 << power for power in range(8))
X86_64 = 0x8664
MINI = 0x494E494D


def named_streams(names: Mapping[str, int] | None = None) -> bytes:
    """The map of named streams, and the number of further names (none); one name unless given."""
    names = {"/names": 2} if names is None else names
    text, pairs = b"", b""
    for name, stream in names.items():
        pairs += struct.pack("<2I", len(text), stream)
        text += name.encode() + b"\0"
    present = (1 << len(names)) - 1
    words = -(-len(names) // 32)
    vector = struct.pack("<I", words) + present.to_bytes(4 * words, "little")
    head = struct.pack("<I", len(text)) + text + struct.pack("<2I", len(names), len(names))
    return head + vector + bytes(4) + pairs + bytes(4)


def info_stream(
    age: int = 1,
    *,
    version: int = 20000404,
    features: Sequence[int] = (20140508,),
    names: Mapping[str, int] | None = None,
) -> bytes:
    """Stream 1: header, the map of named streams (one name unless given), feature codes."""
    header = struct.pack("<3I", version, 0x5AB38077, age) + GUID
    return header + named_streams(names) + struct.pack(f"<{len(features)}I", *features)


def module(name: str = "a.obj", *, c11: int = 0, c13: int = 0) -> bytes:
    """One record of DBI's module list."""
    record = bytes(36) + struct.pack("<3I", 4, c11, c13) + bytes(16) + f"{name}\0{name}\0".encode()
    return record + bytes(-len(record) % 4)


def dbi_stream(
    age: int = 1,
    *,
    modules: bytes | None = None,
    stripped: bool = False,
    machine: int = X86_64,
    version: int = 19990903,
) -> bytes:
    """Stream 3: header and module list (one module with line numbers unless given)."""
    modules = module(c13=8) if modules is None else modules
    header = struct.pack("<iII12xi28xHH4x", -1, version, age, len(modules), 2 * stripped, machine)
    return header + modules


def build_pdb(
    *,
    page_size: int = 4096,
    info: bytes | None = None,
    dbi: bytes | int | None = b"default",
    more: Sequence[bytes | int] = (),
    scattered: bool = False,
) -> bytes:
    """A PDB. `dbi` None: no stream 3 at all; NIL: a nil one. `more`: streams from 4. `scattered`: pages in reverse."""
    streams: list[bytes | int] = [b"old directory", info_stream() if info is None else info, b"types" * 200]
    if dbi is not None:
        streams.append(dbi_stream() if dbi == b"default" else dbi)
        streams.extend(more)
    return lay_out(streams, page_size=page_size, scattered=scattered)


def lay_out(streams: Sequence[bytes | int], *, page_size: int = 4096, scattered: bool = False) -> bytes:
    """An MSF container of these streams; an int is the size word of a stream without pages (NIL)."""
    contents = [one for one in streams if isinstance(one, bytes)]
    total = sum(-(-len(one) // page_size) for one in contents)
    numbers = list(range(3, 3 + total))  # 1 and 2 are the free page maps
    if scattered:
        numbers.reverse()
    pages: dict[int, bytes] = {}
    rows, at = [], 0
    for one in contents:
        count = -(-len(one) // page_size)
        rows.append(numbers[at : at + count])
        pages.update({numbers[at + i]: one[i * page_size : (i + 1) * page_size] for i in range(count)})
        at += count
    sizes = [len(one) if isinstance(one, bytes) else one for one in streams]
    words = [len(sizes), *sizes, *(number for row in rows for number in row)]
    directory = struct.pack(f"<{len(words)}I", *words)
    return _container(pages, directory, page_size=page_size, first_free=3 + total)


def _container(pages: dict[int, bytes], directory: bytes, *, page_size: int, first_free: int) -> bytes:
    """Header, pages, directory, directory map: the map last, so that cut files fail at every level."""
    count = -(-len(directory) // page_size)
    numbers = list(range(first_free, first_free + count))
    pages |= {numbers[i]: directory[i * page_size : (i + 1) * page_size] for i in range(count)}
    listing = struct.pack(f"<{count}I", *numbers)
    map_count = -(-len(listing) // page_size)
    map_numbers = list(range(first_free + count, first_free + count + map_count))
    pages |= {map_numbers[i]: listing[i * page_size : (i + 1) * page_size] for i in range(map_count)}
    last = first_free + count + map_count
    header = MAGIC + struct.pack(f"<5I{map_count}I", page_size, 1, last, len(directory), 0, *map_numbers)
    pages[0] = header
    return b"".join(pages.get(number, b"").ljust(page_size, b"\0") for number in range(last))


def write_sparse_pdb(path: Path, size: int, *, page_size: int = 4096) -> None:
    """A PDB of about `size` bytes whose directory lists all of them, as that of a real huge PDB does.

    Stream 2 has nearly all pages, all of them the same one at the very end, so that the file is a hole and a megabyte
    or two. The id is the default one.
    """
    info, dbi = info_stream(), dbi_stream()
    total = size // page_size
    types = total - 64 - total * 4 // page_size - 1
    first = types + 8  # everything that matters lies behind the hole
    words = [4, 0, len(info), types * page_size if types * page_size < NIL else NIL - 1, len(dbi)]
    types = -(-words[3] // page_size)
    directory = struct.pack("<5I", *words) + struct.pack("<I", first) + struct.pack("<I", first + 2) * types
    directory += struct.pack("<I", first + 1)
    count = -(-len(directory) // page_size)
    listing = struct.pack(f"<{count}I", *range(first + 3, first + 3 + count))
    map_count = -(-len(listing) // page_size)
    map_numbers = range(first + 3 + count, first + 3 + count + map_count)
    last = first + 3 + count + map_count
    header = MAGIC + struct.pack(f"<5I{map_count}I", page_size, 1, last, len(directory), 0, *map_numbers)
    with path.open("wb") as file:
        file.truncate(last * page_size)  # on Linux and macOS a hole; NTFS takes the room
        for page, data in (
            (0, header),
            (first, info),
            (first + 1, dbi),
            (first + 3, directory),
            (map_numbers[0], listing),
        ):
            file.seek(page * page_size)
            file.write(data)
