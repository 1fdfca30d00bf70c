"""Kinds of PE images: hybrids of two machines, .NET assemblies, firmware, libraries of nothing but resources.

None of this changes an id; it is said in notes, and for hybrids in the machine word.
"""

import struct

from symsrv.formats.structures.machines import coff_machine, ready_to_run_target
from symsrv.formats.structures.pe_headers import CLR, EXECUTABLE, LOAD_CONFIG, RESOURCES, Image

_X86, _AMD64, _ARM64 = 0x014C, 0x8664, 0xAA64

# The machine of the headers, and what it is if the load configuration points to CHPE metadata.
_HYBRIDS = {
    _AMD64: ("arm64ec", "a hybrid image (ARM64EC): ARM64 code that x86_64 code can call; its headers say x86_64"),
    _ARM64: ("arm64x", "a hybrid image (ARM64X): for ARM64 and for x86_64 processes; its headers say arm64"),
    _X86: ("x86", "a hybrid image (CHPE): ARM64 code beside that for x86"),
}
_CHPE_AT = {False: 124, True: 200}  # CHPEMetadataPointer in IMAGE_LOAD_CONFIG_DIRECTORY32 and …64

_FIRMWARE = {
    10: "an EFI application",
    11: "an EFI driver that leaves with the boot services",
    12: "an EFI driver that stays at run time",
    13: "an EFI ROM image",
}

_CLR_HEADER = struct.Struct("<16xI44xII")  # Flags, ManagedNativeHeader
_IL_ONLY = 1


def machine_word(image: Image) -> tuple[str | None, str | None]:
    """The machine of an image and, for a hybrid, a note.

    Headers of hybrids name one of their machines, and an ordinary loader needs no more. What tells them apart is a
    CHPE metadata pointer in the load configuration, as in LLVM's COFFObjectFile::getMachine.
    """
    machine = image.headers.machine
    if machine in _HYBRIDS and _has_chpe_metadata(image):
        return _HYBRIDS[machine]
    return coff_machine(machine), None


def _has_chpe_metadata(image: Image) -> bool:
    """Whether the load configuration points into the image. Its own size field counts; the directory's may be 64."""
    place = image.directory(LOAD_CONFIG)
    if place is None:
        return False
    width = 8 if image.headers.wide else 4
    at = _CHPE_AT[image.headers.wide]
    table = image.mapped(place[0], at + width)
    if int.from_bytes(table[:4], "little") < at + width:
        return False
    pointer = int.from_bytes(table[at:], "little")
    return 0 < pointer - image.headers.image_base < image.headers.image_size


def kind_notes(image: Image) -> list[str]:
    """What else an image is."""
    notes = []
    clr = _clr_note(image)
    if clr:
        notes.append(clr)
    if image.headers.subsystem in _FIRMWARE:
        notes.append(_FIRMWARE[image.headers.subsystem])
    if not clr and _has_only_resources(image):
        notes.append("it has no code, only resources")
    return notes


def _has_only_resources(image: Image) -> bool:
    """Whether there are resources, and neither an entry point nor a section with code."""
    if image.headers.entry_point or image.directory(RESOURCES) is None:
        return False
    sections = image.sections()
    return bool(sections) and not any(flags & EXECUTABLE for *_, flags in sections)


def _clr_note(image: Image) -> str | None:
    """What kind of .NET assembly it is (ECMA-335 II.25.3.3; dotnet/runtime, readytorun-format.md); None if it is none.

    The native header of an image that was compiled ahead of time begins with `RTR` (ReadyToRun) or `NGEN`.
    """
    place = image.directory(CLR)
    if place is None:
        return None
    header = image.mapped(place[0], _CLR_HEADER.size)
    if not header:
        return "its .NET header lies outside the file"
    flags, address, size = _CLR_HEADER.unpack(header)
    native = image.mapped(address, 4) if address and size else b""
    if native == b"RTR\0":
        target = ready_to_run_target(image.headers.machine)
        return f"a .NET assembly with ReadyToRun code{f' for {target[0]} on {target[1]}' if target else ''}"
    if native[:3] == b"NGE":
        return "a native image of a .NET assembly (NGEN)"
    return "a .NET assembly" if flags & _IL_ONLY else "a mixed .NET assembly: native code beside IL"
