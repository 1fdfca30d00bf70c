"""The floor that `identify.py` measures against: each format's id by mmap and struct, with no check of anything."""

import mmap
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def pe(path: Path) -> object:
    with mapped(path) as data:
        header = struct.unpack_from("<I", data, 0x3C)[0]
        sections, stamp = struct.unpack_from("<HI", data, header + 6)
        magic = struct.unpack_from("<H", data, header + 24)[0]
        size = struct.unpack_from("<I", data, header + 24 + 56)[0]
        optional = struct.unpack_from("<H", data, header + 20)[0]
        address, length = struct.unpack_from("<II", data, header + 24 + (112 if magic == 0x20B else 96) + 48)
        for index in range(sections):
            _, start, raw_size, raw = struct.unpack_from("<4I", data, header + 24 + optional + 40 * index + 8)
            if start <= address < start + raw_size:
                for entry in range(raw + address - start, raw + address - start + length, 28):
                    kind, _, at, pointer = struct.unpack_from("<4I", data, entry + 12)
                    if kind == 2:
                        pointer = pointer or raw + at - start
                        return stamp, size, data[pointer + 4 : pointer + 24]
        return stamp, size


def dbg(path: Path) -> object:
    with mapped(path) as data:
        stamp = struct.unpack_from("<I", data, 8)[0]
        size, sections, names, length = struct.unpack_from("<4I", data, 20)
        at = 48 + 40 * sections + names
        for entry in range(at, at + length, 28):
            kind, _, _, pointer = struct.unpack_from("<4I", data, entry + 12)
            if kind == 2:
                return stamp, size, data[pointer + 4 : pointer + 24]
        return stamp, size


def pdb(path: Path) -> object:
    with mapped(path) as data:
        page = struct.unpack_from("<I", data, 32)[0]
        directory_map = struct.unpack_from("<I", data, 52)[0] * page

        def word(offset: int) -> int:
            at = struct.unpack_from("<I", data, directory_map + offset // page * 4)[0]
            return int(struct.unpack_from("<I", data, at * page + offset % page)[0])

        count = word(0)
        before = [-(-word(4 + 4 * index) // page) for index in range(3)]
        info = word(4 + 4 * count + 4 * before[0]) * page
        dbi = word(4 + 4 * count + 4 * sum(before)) * page
        return data[info + 12 : info + 28], struct.unpack_from("<I", data, dbi + 8)[0]


def pdb2(path: Path) -> object:
    with mapped(path) as data:
        page = struct.unpack_from("<I", data, 44)[0]

        def numbers(offset: int, form: str) -> tuple[int, ...]:
            at = struct.unpack_from("<H", data, 60 + offset // page * 2)[0]
            return struct.unpack_from(form, data, at * page + offset % page)

        (count,) = numbers(0, "<H")
        before = [-(-size // page) for size in numbers(4, "<I4xI4xI4x")]
        info = numbers(4 + 8 * count + 2 * before[0], "<H")[0] * page
        dbi = numbers(4 + 8 * count + 2 * sum(before), "<H")[0] * page
        return struct.unpack_from("<I", data, info + 4)[0], struct.unpack_from("<I", data, dbi + 8)[0]


def msfz(path: Path) -> object:
    """The directory as it lies there, and of DBI's chunk what 12 bytes take."""
    with mapped(path) as data:
        directory, table = struct.unpack_from("<2Q", data, 40)
        places, at = [], directory
        for _ in range(4):
            size, place = struct.unpack_from("<IQ", data, at)
            places.append(place)
            while size and size != 0xFFFFFFFF:
                at += 12
                size = struct.unpack_from("<I", data, at)[0]
            at += 4
        info, dbi = places[1], places[3]
        chunk, compression, stored, _ = struct.unpack_from("<Q3I", data, table + 20 * (dbi >> 32 & 0x7FFFFFFF))
        raw = unpacked(data[chunk : chunk + stored], compression)
        return data[info + 12 : info + 28], struct.unpack_from("<I", raw, (dbi & 0xFFFFFFFF) + 8)[0]


def unpacked(raw: bytes, compression: int) -> bytes:
    import zstandard

    if compression == 1:
        return zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    return zlib.decompress(raw, -15) if compression == 2 else raw


def elf(path: Path) -> object:
    with mapped(path) as data:
        at, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
        for index in range(count):
            kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", data, at + size * index)
            note = offset
            while kind == 4 and note < offset + length:
                owner, described, note_kind = struct.unpack_from("<3I", data, note)
                if note_kind == 3:
                    return data[note + 12 + owner : note + 12 + owner + described]
                note += 12 + (owner + 3 & ~3) + (described + 3 & ~3)
    return None


def macho(path: Path) -> object:
    with mapped(path) as data:
        return uuid(data, 0)


def fat(path: Path) -> object:
    with mapped(path) as data:
        magic, count = struct.unpack_from(">2I", data, 0)
        row = struct.Struct(">IIQQII" if magic & 1 else ">5I")
        return [uuid(data, row.unpack_from(data, 8 + row.size * index)[2]) for index in range(count)]


def uuid(data: mmap.mmap, start: int) -> bytes | None:
    at = start + 32
    for _ in range(struct.unpack_from("<I", data, start + 16)[0]):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 0x1B:
            return data[at + 8 : at + 24]
        at += size
    return None


def breakpad(path: Path) -> object:
    with mapped(path) as data:
        return data[: data.find(b"\n", 0, 4096)].split(b" ", 4)[3:]


def perfmap(path: Path) -> object:
    with mapped(path) as data:
        first, second = data.find(b"\n"), data.find(b"\n", data.find(b"\n") + 1)
        return data[12:first], data[first + 13 : second]


def wasm(path: Path) -> object:
    with mapped(path) as data:
        at = 8
        while at < len(data):
            size, start = leb(data, at + 1)
            if data[at] == 0 and data[start + 1 : start + 9] == b"build_id":
                return data[start + 10 : start + size]
            at = start + size
    return None


def leb(data: mmap.mmap, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1


def portable_pdb(path: Path) -> object:
    with mapped(path) as data:
        at = 16 + struct.unpack_from("<I", data, 12)[0] + 4
        for _ in range(struct.unpack_from("<H", data, at - 2)[0]):
            offset = struct.unpack_from("<I", data, at)[0]
            end = data.find(b"\0", at + 8)
            if data[at + 8 : end] == b"#Pdb":
                return data[offset : offset + 20]
            at = end + 4 - (end - at) % 4
    return None


def minidump(path: Path) -> object:
    with mapped(path) as data:
        return data[:4] in (b"MDMP", b"PMDM")


FLOORS: dict[str, Callable[[Path], object]] = {
    "pe": pe,
    "pdb": pdb,
    "elf": elf,
    "macho": macho,
    "fat": fat,
    "portable-pdb": portable_pdb,
    "msfz": msfz,
    "pdb2": pdb2,
    "dbg": dbg,
    "wasm": wasm,
    "breakpad": breakpad,
    "perfmap": perfmap,
    "minidump": minidump,
}
