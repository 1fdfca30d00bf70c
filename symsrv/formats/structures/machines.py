"""Machine words: what `identify` prints as `arch`, for the numbers in COFF, PDB and ELF headers."""

# Microsoft, PE format, "Machine types"; the PDB's DBI header uses the same numbers. Those of Windows NT on Alpha, MIPS
# and PowerPC, of Windows CE and of the Xbox 360 stand in winnt.h.
_COFF = {
    0x014C: "x86",
    0x0162: "mips",
    0x0166: "mips",
    0x0168: "mips",
    0x0169: "mips",
    0x0184: "alpha",
    0x01A2: "sh",
    0x01A3: "sh",
    0x01A6: "sh",
    0x01A8: "sh",
    0x01C0: "arm",
    0x01C2: "arm",
    0x01C4: "arm",
    0x01F0: "ppc",
    0x01F1: "ppc",
    0x01F2: "ppc",
    0x0200: "ia64",
    0x0266: "mips",
    0x0284: "alpha64",
    0x0366: "mips",
    0x0466: "mips",
    0x0EBC: "ebc",
    0x3A64: "x86",
    0x5032: "riscv32",
    0x5064: "riscv64",
    0x6232: "loongarch32",
    0x6264: "loongarch64",
    0x8664: "x86_64",
    0x9041: "m32r",
    0xA641: "arm64ec",
    0xA64E: "arm64x",
    0xAA64: "arm64",
    0xC0EE: "cil",
}

# What ReadyToRun images for other systems than Windows have their machine XORed with (dotnet/runtime, pedecoder.h).
_READY_TO_RUN = {0x7B79: "Linux", 0x4644: "Apple", 0xADC4: "FreeBSD", 0x1993: "NetBSD", 0x1992: "SunOS"}

# System V gABI, "e_machine". Machines whose word depends on the class have it in `_ELF_64`.
_ELF = {
    2: "sparc",
    3: "x86",
    4: "m68k",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390",
    40: "arm",
    42: "sh",
    43: "sparc64",
    50: "ia64",
    62: "x86_64",
    183: "arm64",
    243: "riscv32",
    247: "bpf",
    258: "loongarch32",
}
_ELF_64 = {8: "mips64", 22: "s390x", 243: "riscv64", 258: "loongarch64"}


def coff_machine(number: int) -> str | None:
    """The word for a COFF machine; what has none prints as a number (ReadyToRun for Linux: `0xfd1d`), 0 is None."""
    return _COFF.get(number) or (f"{number:#x}" if number else None)


def ready_to_run_target(number: int) -> tuple[str, str] | None:
    """System and machine of a ReadyToRun image that is for another system than Windows; None of all others."""
    if number in _COFF:
        return None
    return next(
        ((system, _COFF[number ^ word]) for word, system in _READY_TO_RUN.items() if number ^ word in _COFF), None
    )


def elf_machine(number: int, *, wide: bool) -> str | None:
    """The word for an ELF machine; `wide` says that the file is of the 64-bit class."""
    word = _ELF_64.get(number) if wide else None
    return word or _ELF.get(number) or (f"{number:#x}" if number else None)
