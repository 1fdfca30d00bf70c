"""What fuzzing begins with: built files of every shape, and the small files of the corpus."""

import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator

import zstandard

from symsrv.formats.base import HEAD_BYTES, Format
from symsrv.packing import HEAD_BYTES as ARCHIVE_HEAD_BYTES
from symsrv.packing import Archive
from tests.made.archive_builder import COMPRESSORS, tar_header, tar_of, zip_of
from tests.made.cab_builder import LZX, MSZIP, QUANTUM, LzxPacker, QuantumPacker, cab_of, mszip, stored
from tests.made.cab_builder import STORED as NOT_PACKED
from tests.made.core_builder import ENTRY, EXECFN, PHDR, VDSO, Mapped, build_core
from tests.made.corpus import all_entries
from tests.made.dbg_builder import build_dbg, coff_symbols
from tests.made.dwarf_builder import ABBREV, info_unit, line_unit
from tests.made.elf_builder import COMPRESSED, DEBUG, TEXT, Part, build_dynamic_elf, build_elf
from tests.made.grown import smallest
from tests.made.macho_builder import build_fat, build_macho, library, segment, uuid_command
from tests.made.minidump_builder import LINUX, MACOS, Loaded, bpel, build_minidump
from tests.made.minidump_builder import nb10 as dumped_nb10
from tests.made.minidump_builder import rsds as dumped_rsds
from tests.made.msfz_builder import DEFLATE, STORED, ZSTD, build_msfz
from tests.made.pdb2_builder import build_pdb2
from tests.made.pdb_builder import MINI, build_pdb, info_stream
from tests.made.pe_builder import IMAGE_BASE, RVA, Entry, build_pe, misc, mpdb, mtoc, nb10, rsds
from tests.made.portable_builder import build_portable
from tests.made.version_builder import versioned
from tests.made.wasm_builder import DEBUG as WASM_DEBUG
from tests.made.wasm_builder import FUNCTION, ID, build_wasm, section

LIMIT_BYTES = 64 * 1024

Seeds = Iterator[bytes]


def of_format(one: Format) -> Seeds:
    """Files of one format."""
    yield from (data for data in smallest().values() if one.sniff(data[:HEAD_BYTES]))
    yield from _FORMATS.get(one.name, lambda: iter(()))()
    yield from _corpus(lambda head: one.sniff(head[:HEAD_BYTES]))


def of_archive(one: Archive) -> Seeds:
    """Archives of one kind."""
    yield from (without_checksums(data) for data in _archives() if one.sniff(data[:ARCHIVE_HEAD_BYTES]))
    yield from (without_checksums(data) for data in _corpus(one.sniff))


def images() -> Seeds:
    """PE images with something inside."""
    pdb = build_portable(["/a.cs"], embedded=[1])
    yield build_pe([Entry(rsds(), minor=0x504D), Entry(mpdb(pdb), kind=17)])
    yield build_pe([Entry(mpdb(bytes(5000)), kind=17, by_address=True)], wide=False)
    yield versioned((4, 6, 25507, 0))
    yield versioned((1, 2, 3, 4), flat=True, wide=False)


def _pe() -> Seeds:
    yield build_pe([Entry(rsds()), Entry(nb10(), by_address=True), Entry(misc("a.dbg"), kind=4)])
    yield build_pe([Entry(rsds(), minor=0x504D), Entry(mtoc())], wide=False)
    yield from images()


def _pdb() -> Seeds:
    yield build_pdb(page_size=512, dbi=None, info=info_stream(features=(MINI,)))
    yield build_pdb(page_size=512, info=info_stream(names={"sourcelink": 4, "srcsrv": 5}), more=[b"{}", b"SRCSRV: ini"])


def _msfz() -> Seeds:
    yield from (build_msfz(compression=one, chunk_bytes=100, plain=()) for one in (STORED, ZSTD, DEFLATE))
    yield build_msfz(directory_compression=ZSTD)


def _elf() -> Seeds:
    yield build_elf((TEXT, DEBUG), wide=False, order=">", extended=True)
    yield build_elf((TEXT, DEBUG), notes=b"")
    yield build_elf((TEXT, DEBUG), sections=False)


def _macho() -> Seeds:
    commands = (uuid_command(), segment("__DWARF", 0, 16), library("@rpath/libfoo.dylib"))
    yield build_macho(commands)
    yield build_macho(wide=False, order=">")
    yield build_fat([(7, 3, build_macho(wide=False)), (18, 0, build_macho(commands))], first=64, gap=64)
    yield build_fat([(7, 3, build_macho()), (18, 0, build_macho())], wide=True, first=128, gap=64)


def _wasm() -> Seeds:
    yield build_wasm((section(2, b"\1\3env\6memory\2\4\1"), section(5, b"\1\4\1"), FUNCTION, WASM_DEBUG, ID))
    yield build_wasm((ID,), version=b"\x0d\0\1\0")


def _portable() -> Seeds:
    yield build_portable(["/src/a.cs", "C:\\b.cs"], embedded=[1], source_link="{}", methods=3, method_infos=2)
    yield build_portable(["a\\b.cs"], separator="\\", wide=True, extra=True, in_order=False, source_link="{}")


def _pdb2() -> Seeds:
    yield build_pdb2(page_size=512)


def _dbg() -> Seeds:
    yield build_dbg([Entry(nb10()), Entry(misc("a.exe"), kind=4), Entry(coff_symbols(lines=3), kind=1)])


def _breakpad() -> Seeds:
    yield b"MODULE windows x86 3AB5CD4F2 old.pdb\r\nINFO CODE_ID 3AB5CD4F3000 old.exe\r\nFILE 0 a.c\r\n"
    yield b"MODULE mac arm64 67E9247C814E392BA027DBDE6748FCBF0 a b\nINFO CODE_ID 67E9247C814E392BA027DBDE6748FCBF\n"


def _dumps() -> Seeds:
    loaded = (
        Loaded("C:\\out\\crash.exe", dumped_rsds(), stamp=0x5AB38077, version=(1, 2, 3, 4)),
        Loaded("/usr/lib/libc.so.6", bpel()),
        Loaded("old.dll", dumped_nb10()),
    )
    yield build_minidump(loaded, unloaded=("gone.dll",))
    yield build_minidump(loaded, platform=LINUX, aligned=True)
    yield build_minidump([Loaded("/a", dumped_rsds(order=">"))], platform=MACOS, order=">")
    yield from _corpus(lambda head: head[:4] in (b"MDMP", b"PMDM"))


def _cores() -> Seeds:
    for wide, order in ((True, "<"), (False, ">")):
        image = build_elf((TEXT,), wide=wide, order=order)
        mappings = (
            Mapped("/bin/crash", 0x10000, image, executable=True),
            Mapped("/bin/crash", 0x11000, offset=0x1000),
            Mapped("/lib/libc.so (deleted)", 0x20000, build_dynamic_elf(wide=wide, order=order)),
            Mapped("", 0x30000, image),
            Mapped("/a.dll", 0x40000, build_pe([Entry(rsds())])),
            Mapped("", 0x50000, b"/bin/crash\0"),
        )
        auxv = {PHDR: 0x10040, ENTRY: 0x10100, EXECFN: 0x50000, VDSO: 0x30000}
        yield build_core(mappings, wide=wide, order=order, auxv=auxv)
        yield build_core(mappings, wide=wide, order=order, auxv=auxv, files=False, extended=True)
    yield from _corpus(lambda head: head[:4] == b"\x7fELF" and head[16:17] == b"\4")


def _imports() -> Seeds:
    names = b"KERNEL32.dll".ljust(16, b"\0")
    row, delayed = struct.pack("<5I", 1, 0, 0, RVA, 2), struct.pack("<8I", 1, RVA, 0, 0, 0, 0, 0, 0)
    yield build_pe(others={1: row + bytes(20), 13: delayed + bytes(32)}, at_rva=names)
    yield build_pe(wide=False, others={13: struct.pack("<8I", 0, IMAGE_BASE + RVA, *[0] * 6) + bytes(32)}, at_rva=names)


def _programs() -> Seeds:
    yield from (build_dynamic_elf(["libc.so.6", "libm.so"], sections=one) for one in (True, False))
    yield build_dynamic_elf(wide=False, order=">")


def _dwarf() -> Seeds:
    files = [("a.c", 0), ("b.h", 1)]
    for version, wide, order in ((4, False, "<"), (5, True, "<"), (3, False, ">")):
        line = line_unit(["inc"], files, version=version, wide=wide, order=order)
        info = info_unit("/src", 0, version=version, wide=wide, order=order)
        yield build_elf(
            (Part(".debug_line", line), Part(".debug_info", info), Part(".debug_abbrev", ABBREV)), order=order
        )
    head = struct.pack("<IIQQ", 1, 0, len(line), 1)
    yield build_elf((Part(".debug_line", head + zlib.compress(line), flags=COMPRESSED), Part(".debug_abbrev", ABBREV)))
    head = struct.pack("<IIQQ", 2, 0, len(line), 1)
    yield build_elf((Part(".debug_line", head + zstandard.compress(line), flags=COMPRESSED),))
    yield build_elf((Part(".zdebug_line", b"ZLIB" + struct.pack(">Q", len(line)) + zlib.compress(line)),))


def _archives() -> Seeds:
    files = {"a.txt": b"symbols and symbols", "d/b": bytes(100), "d/c": b""}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield zip_of(files, method=method)
    whole = [tar_of(files, dialect=one) for one in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)]
    whole.append(tar_of({"long/" * 60 + "name": b"x"}, dialect=tarfile.PAX_FORMAT))
    whole.append(tar_of({"long/" * 60 + "name": b"x"}, dialect=tarfile.GNU_FORMAT))
    whole.append(tar_header(size=3, kind=b"7") + b"abc".ljust(512, b"\0"))
    for data in whole:
        yield data
        yield from (pack(data) for pack in COMPRESSORS.values())
    yield from (pack(b"symbols" * 10) for pack in COMPRESSORS.values())
    yield from (cab_of(files, pack, method) for pack, method in _CABINETS)
    yield zstandard.ZstdCompressor(write_checksum=False, write_content_size=False).compress(whole[0])


def without_checksums(cab: bytes) -> bytes:
    """A cabinet whose blocks have no checksums, so that what is turned in them is unpacked; all else as it is."""
    if cab[:4] != b"MSCF" or len(cab) < 40:
        return cab
    data = bytearray(cab)
    folders, flags = struct.unpack_from("<H2xH", data, 26)
    head, folder, block = struct.unpack_from("<H2B", data, 36) if flags & 4 else (0, 0, 0)
    at = 36 + (4 + head if flags & 4 else 0)
    for _ in range(2 * (flags & 1) + (flags & 2)):
        at = data.find(0, at) + 1
    for _ in range(folders):
        if at + 8 > len(data):
            break
        place, count = struct.unpack_from("<LH", data, at)
        at += 8 + folder
        for _ in range(count):
            if place + 8 > len(data):
                break
            data[place : place + 4] = bytes(4)
            place += 8 + block + struct.unpack_from("<H", data, place + 4)[0]
    return bytes(data)


def _corpus(wanted: Callable[[bytes], object]) -> Seeds:
    for one in all_entries():
        with one.path.open("rb") as file:
            head = file.read(ARCHIVE_HEAD_BYTES)
            if wanted(head):
                yield (head + file.read(LIMIT_BYTES))[:LIMIT_BYTES]


def _all(*makers: Callable[[], Seeds], magic: tuple[bytes, ...] = ()) -> Callable[[], Seeds]:
    def every() -> Seeds:
        for maker in makers:
            yield from maker()
        yield from _corpus(lambda head: head.startswith(magic)) if magic else ()

    return every


_CABINETS = (  # a packer remembers what it has packed, so each is a new one
    (stored, NOT_PACKED),
    (mszip, MSZIP),
    (lambda data: LzxPacker(15, block_bytes=40, call_size=100)(data), LZX | 15 << 8),
    (lambda data: LzxPacker(21, kinds=(2, 1))(data), LZX | 21 << 8),
    (lambda data: QuantumPacker(12)(data), QUANTUM | 12 << 8),
)
_FORMATS: dict[str, Callable[[], Seeds]] = {
    "pe": _pe,
    "pdb": _pdb,
    "pdb2": _pdb2,
    "msfz": _msfz,
    "elf": _elf,
    "dbg": _dbg,
    "macho": _macho,
    "breakpad": _breakpad,
    "wasm": _wasm,
    "portable-pdb": _portable,
}
PROGRAMS = {
    "minidump": _dumps,
    "core": _cores,
    "pe": _all(_imports, _pe, magic=(b"MZ",)),
    "elf": _all(_programs, magic=(b"\x7fELF",)),
    "macho": _all(_macho, magic=(b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")),
}
"""What lists modules."""
CONTENTS = {
    "elf": _all(_dwarf, _elf, magic=(b"\x7fELF",)),
    "pdb": _all(_pdb, _pdb2, _msfz, magic=(b"Microsoft",)),
    "portable-pdb": _all(_portable, magic=(b"BSJB",)),
}
"""What has sections or sources."""
