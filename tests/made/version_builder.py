"""PE images with a version resource: `versioned((4, 6, 25507, 0))` returns the bytes."""

import struct
from collections.abc import Sequence

from tests.made.pe_builder import RESOURCES, RVA, build_pe

VERSION_TYPE = 16
_BELOW = 0x80000000


def version_block(numbers: tuple[int, int, int, int], *, signature: int = 0xFEEF04BD, key: str = "VS_VERSION_INFO"):
    """VS_VERSIONINFO with its VS_FIXEDFILEINFO and nothing else."""
    major, minor, build, revision = numbers
    fixed = struct.pack("<IIHHHH36x", signature, 0x10000, minor, major, revision, build)
    head = struct.pack("<HHH", 40 + len(fixed), len(fixed), 0) + (key + "\0").encode("utf-16-le")
    return head.ljust(40, b"\0") + fixed


def versioned(
    numbers: tuple[int, int, int, int],
    *,
    types: Sequence[int] = (VERSION_TYPE,),
    block: bytes | None = None,
    flat: bool = False,
    address: int | None = None,
    **more: object,
) -> bytes:
    """A PE image; `types` are those of its resources, `flat` leaves out the levels of names and languages.

    `address` replaces that of the version block.
    """
    block = version_block(numbers) if block is None else block
    root_bytes = 16 + 8 * len(types)
    root = struct.pack("<12xHH", 0, len(types))
    root += b"".join(struct.pack("<II", one, root_bytes | (0 if flat else _BELOW)) for one in types)
    name = struct.pack("<12xHHII", 0, 1, 1, (root_bytes + 24) | _BELOW)
    language = struct.pack("<12xHHII", 0, 1, 1033, root_bytes + 48)
    data_at = root_bytes + 48 + 16
    data = struct.pack("<II8x", RVA + data_at if address is None else address, len(block))
    return build_pe(others={RESOURCES: root + name + language + data + block}, **more)
