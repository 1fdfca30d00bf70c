"""Files that no linker at hand makes, out of the tests' own builders: oddities that each tool treats in its way."""

import struct
from collections.abc import Iterator
from pathlib import Path

from tests.made import pdb_builder
from tests.made.elf_builder import DEBUG, TEXT, build_elf, note
from tests.made.macho_builder import ARM, ARM64, BUNDLE, OTHER_UUID, PPC, X86_64, build_fat, build_macho, uuid_command
from tests.made.pdb_builder import PAGE_SIZES, build_pdb, dbi_stream, info_stream
from tests.made.pe_builder import Entry, build_pe, nb10, rsds
from tests.made.portable_builder import build_portable
from tests.made.wasm_builder import BUILD_ID, FUNCTION, ID, build_wasm, custom, prefixed, section

PORTABLE = 0x504D
OTHER_GUID = bytes(range(0x40, 0x50))


def write(folder: Path) -> list[Path]:
    """Writes them all into a folder."""
    found = []
    images = ((name, _aligned(data)) for name, data in _pe())
    for name, data in (*_elf(), *images, *_pdb(), *_macho(), *_wasm(), *_text()):
        path = folder / name
        path.write_bytes(data)
        found.append(path)
    return found


def _elf() -> Iterator[tuple[str, bytes]]:
    for wide in (True, False):
        for order, word in (("<", "little"), (">", "big")):
            name = f"{'64' if wide else '32'}-{word}"
            machine = {(True, "<"): 62, (False, "<"): 3, (True, ">"): 22, (False, ">"): 8}[wide, order]
            common = {"wide": wide, "order": order, "machine": machine}
            yield f"elf-{name}", build_elf((TEXT, DEBUG), **common)
            yield f"elf-{name}-no-sections", build_elf(sections=False, **common)
            yield f"elf-{name}-no-segment", build_elf(note_segment=False, **common)
            yield f"elf-{name}-no-note", build_elf(note_section=None, note_segment=False, **common)
            yield f"elf-{name}-many", build_elf(extended=True, **common)
            short = note(bytes(range(1, 9)), order=order)
            yield f"elf-{name}-short", build_elf(notes=short, **common)
            two = note(b"other", owner=b"CORE\0", order=order) + note(order=order)
            yield f"elf-{name}-foreign-owner", build_elf(notes=two, **common)
            yield f"elf-{name}-object", build_elf(file_type=1, note_section=None, note_segment=False, **common)


def _pe() -> Iterator[tuple[str, bytes]]:
    yield "pe-plain.dll", build_pe()
    yield "pe-32.dll", build_pe([Entry(rsds(age=26))], wide=False, machine=0x14C)
    yield "pe-age.dll", build_pe([Entry(rsds(age=0x1F))])
    yield "pe-lead-zero.dll", build_pe(stamp=0x00ABCDEF, image_size=0x123000)
    yield "pe-small.dll", build_pe(image_size=0x800)
    yield "pe-nb10.dll", build_pe([Entry(nb10())])
    yield "pe-portable.dll", build_pe([Entry(rsds(), minor=PORTABLE, stamp=0xCFB0FC89)])
    yield "pe-two.dll", build_pe([Entry(rsds(b"made.ni.pdb")), Entry(rsds(b"made.pdb", guid=OTHER_GUID))])
    yield "pe-no-id.dll", build_pe([Entry(rsds(guid=bytes(16), age=0))])
    yield "pe-arm64.dll", build_pe([Entry(rsds())], machine=0xAA64)


def _aligned(data: bytes) -> bytes:
    """The image with SectionAlignment and FileAlignment, without which symbolic maps no address."""
    at = int.from_bytes(data[0x3C:0x40], "little") + 24 + 32
    return data[:at] + struct.pack("<II", 0x1000, 0x200) + data[at + 8 :]


def _pdb() -> Iterator[tuple[str, bytes]]:
    for size in PAGE_SIZES:
        if 512 <= size <= 4096:  # what LLVM and symbolic read; larger ones are Microsoft's alone
            yield f"pages-{size}.pdb", build_pdb(page_size=size)
    yield "scattered.pdb", build_pdb(scattered=True)
    yield "ages.pdb", build_pdb(info=info_stream(4), dbi=dbi_stream(2))
    yield "age-hex.pdb", build_pdb(info=info_stream(26), dbi=dbi_stream(26))
    yield "no-dbi.pdb", build_pdb(dbi=None)
    yield "nil-dbi.pdb", build_pdb(dbi=pdb_builder.NIL)
    yield "portable.pdb", build_portable(["a.cs"])


def _macho() -> Iterator[tuple[str, bytes]]:
    for wide in (True, False):
        for order, word in (("<", "little"), (">", "big")):
            machine = {(True, "<"): X86_64, (False, "<"): ARM, (True, ">"): PPC | 1 << 24, (False, ">"): PPC}[
                wide, order
            ]
            yield (
                f"macho-{'64' if wide else '32'}-{word}",
                build_macho(file_type=BUNDLE, wide=wide, order=order, machine=machine),
            )
    arm = build_macho((uuid_command(OTHER_UUID),), file_type=BUNDLE, machine=ARM64, subtype=0)
    intel = build_macho(file_type=BUNDLE)
    for wide in (True, False):
        yield f"macho-fat-{wide}", build_fat([(X86_64, 3, intel), (ARM64, 0, arm)], wide=wide)
    yield "macho-no-uuid", build_macho((), file_type=BUNDLE)


def _wasm() -> Iterator[tuple[str, bytes]]:
    code = (section(1, b"\1\x60\0\0"), section(3, b"\1\0"), FUNCTION)  # a type, and that the function is of it
    yield "id.wasm", build_wasm((*code, ID))
    yield "raw-id.wasm", build_wasm((*code, custom("build_id", BUILD_ID)))
    yield "wide-length.wasm", build_wasm((*code, custom("build_id", prefixed(width=3))))
    yield "no-id.wasm", build_wasm(code)
    yield "first.wasm", build_wasm((ID, *code))


def _text() -> Iterator[tuple[str, bytes]]:
    for system, machine, number, name in (
        ("Linux", "x86_64", "6E6C0FBB12B4B4FB20FCD6A4D4E2A1F00", "libmade.so"),
        ("windows", "x86", "131211101514171618191A1B1C1D1E1F1A", "made.pdb"),
        ("mac", "arm64", "67E9247C814E392BA027DBDE6748FCBF0", "made"),
    ):
        yield f"{system}.sym", f"MODULE {system} {machine} {number} {name}\nPUBLIC 1000 0 main\n".encode()
