"""Archives of every kind with the members one asks for, by the standard library; and zips by hand, to lie in."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

import zstandard

FILES = {"a.txt": b"first", "out/b.bin": bytes(range(256)) * 20, "out/empty": b""}

COMPRESSORS = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def zip_of(files=FILES, *, method=zipfile.ZIP_DEFLATED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return held.getvalue()


def tar_of(files=FILES, *, dialect=tarfile.PAX_FORMAT):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=dialect) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return held.getvalue()


def tar_header(name=b"a", size=0, kind=b"0", **fields):
    """A header with a right checksum; `fields` are `offset=bytes` with an `at` before the offset."""
    block = bytearray(512)
    block[: len(name)] = name
    block[100:108] = b"0000644\0"
    block[124:136] = b"%011o\0" % size
    block[156:157] = kind
    block[257:265] = b"ustar\00000"
    for place, data in fields.items():
        at = int(place.removeprefix("at"))
        block[at : at + len(data)] = data
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zip_entry(name, data, *, method=0, packed=None, size=None, crc=None, flags=0, mode=0, offset=0, extra=b""):
    """A member's own header with its data, and its entry in the directory."""
    packed = data if packed is None else packed
    size = len(data) if size is None else size
    crc = zlib.crc32(data) if crc is None else crc
    numbers = struct.pack("<5H3L2H", 20, flags, method, 0, 0x21, crc, len(packed), size, len(name), 0)
    directory = struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x314 if mode else 20, 20, flags, method, 0, 0x21,
                            crc, len(packed), size, len(name), len(extra), 0, 0, 0, mode << 16, offset)  # fmt: skip
    return b"PK\3\4" + numbers + name + packed, directory + name + extra


def zip_end(count, length, offset, comment=b""):
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, offset, len(comment)) + comment


def zip64_end(count, length, offset):
    at = length + offset
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, offset)
    return wide + struct.pack("<4sLQL", b"PK\6\7", 0, at, 1) + zip_end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)


def zip_by_hand(*members, count=None, comment=b""):
    """A zip of `zip_entry` keywords; every lie in them is kept."""
    local, directory = b"", b""
    for member in members:
        member = {"offset": len(local), **member}
        own, entry = zip_entry(**member)
        local += own
        directory += entry
    return local + directory + zip_end(len(members) if count is None else count, len(directory), len(local), comment)
