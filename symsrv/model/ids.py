"""Identifiers: every spelling a client uses parses to one value, kind by kind.

Normal forms (lower-case hexadecimal, nothing padded):

    debug          GUID (32 digits) + age, `""` where the file has none  3249d99d0c4049318610f4e4fb0b69361
    pe             TimeDateStamp (8 digits) + SizeOfImage                5ab380779000
                   a PDB 2.0 has the same form: signature + age          5555cd4f2
    build          the whole GNU build id, byte by byte                  dfb85de42daffd09640c8fe377d572de3e168920
    uuid           a Mach-O file's LC_UUID, byte by byte                 67e9247c814e392ba027dbde6748fcbf
    wasm           a WebAssembly module's build id                       bda18fd85d4a4eb893022d6bfad846b1
    msfz           as debug, of a PDB in a compressed container          99891b3ed7ae4c3babff8a2b4a9b0c431
    r2rmap         version, `-`, signature of a ReadyToRun map           1-734d59d6de0e96aa3c77b3e2ed498097
    build-coreclr  the build id of the .NET runtime that a file serves   ef8f58a0b402d11c68f78342ef4fcc7d23798d4c
    uuid-coreclr   the same by the runtime's LC_UUID                     b5372bdabccd38f8899b6a782ceca847

A path segment rarely says which kind it holds, so `readings` returns every one it can be, best first.
Rules: SSQP key conventions (padding, prefixes), lldb (decimal age), rust-minidump (bare build id).
"""

import re
import uuid
from dataclasses import dataclass

DEBUG = "debug"
PE = "pe"
BUILD = "build"
UUID = "uuid"
WASM = "wasm"
MSFZ = "msfz"
PERFMAP = "r2rmap"
CORECLR_BUILD = "build-coreclr"
CORECLR_UUID = "uuid-coreclr"

PORTABLE_AGE = 0xFFFFFFFF  # stands where a portable PDB has no age

_HEX = re.compile(r"[0-9a-f]+")
_PERFMAP = re.compile(r"([0-9]{1,10})-([0-9a-f]{32})")
_BUILD_LIMIT_DIGITS = 128
_UUID_DIGITS = 32
_WASM_LIMIT_DIGITS = 248  # with `.debug` behind it, what one folder's name can hold
SSQP_BUILD_DIGITS = 40


@dataclass(frozen=True, slots=True)
class SymbolId:
    """One identifier in its normal form."""

    kind: str
    value: str


def debug_id(guid: str, age: int | None) -> SymbolId:
    """A PDB's id: the GUID's 32 digits as printed (`uuid.UUID(bytes_le=…).hex`), and the age or None."""
    return SymbolId(DEBUG, guid.lower() + ("" if age is None else f"{age:x}"))


def pe_id(stamp: int, image_size: int) -> SymbolId:
    """A PE image's id: COFF TimeDateStamp and SizeOfImage."""
    return SymbolId(PE, f"{stamp:08x}{image_size:x}")


def build_id(raw: bytes) -> SymbolId:
    """An ELF file's id: the descriptor of its GNU build-id note."""
    return SymbolId(BUILD, raw.hex())


def uuid_id(raw: bytes) -> SymbolId:
    """A Mach-O file's id: the 16 bytes of LC_UUID."""
    return SymbolId(UUID, raw.hex())


def wasm_id(raw: bytes) -> SymbolId:
    """A WebAssembly module's id: the content of its `build_id` section."""
    return SymbolId(WASM, raw.hex())


def perfmap_id(version: int, signature: str) -> SymbolId:
    """A ReadyToRun map's id: its format version, and the 32 digits of its signature in the order of the bytes."""
    return SymbolId(PERFMAP, f"{version}-{signature.lower()}")


def swapped(digits: str) -> str:
    """The 32 digits of 16 bytes read as a GUID, which has its first three fields in little-endian order."""
    return uuid.UUID(bytes_le=bytes.fromhex(digits)).hex


def printed(symbol_id: SymbolId) -> str:
    """The id as symstore.exe writes it: GUID or stamp in upper case, age or size in lower."""
    upper = {DEBUG: 32, MSFZ: 32, PE: 8}.get(symbol_id.kind, 0)
    return symbol_id.value[:upper].upper() + symbol_id.value[upper:]


def padded_build(value: str) -> str:
    """A build id of 8 to 19 bytes as .NET's tools ask for it: zeros up to 20 bytes; others unchanged."""
    return value.ljust(SSQP_BUILD_DIGITS, "0") if 16 <= len(value) < SSQP_BUILD_DIGITS else value


def build_readings(text: str, *, kind: str = BUILD) -> tuple[SymbolId, ...]:
    """Readings of a build id in any case: as it is, then with the zeros that .NET's tools pad taken off.

    `kind` says whose it is: the file's own, or with CORECLR_BUILD that of the runtime. All shorter spellings come,
    longest first: an id may itself end in zero bytes, so the exact one wins.
    """
    digits = text.lower()
    if not _HEX.fullmatch(digits) or len(digits) % 2 or len(digits) > _BUILD_LIMIT_DIGITS:
        return ()
    found = [SymbolId(kind, digits)]
    if len(digits) == SSQP_BUILD_DIGITS:
        shorter = digits
        while len(shorter) > 16 and shorter.endswith("00"):
            shorter = shorter[:-2]
            found.append(SymbolId(kind, shorter))
    return tuple(found)


def uuid_readings(text: str, *, kind: str = UUID) -> tuple[SymbolId, ...]:
    """The reading of an LC_UUID in any case, empty if it is none; `kind` as for `build_readings`."""
    digits = text.lower()
    return (SymbolId(kind, digits),) if len(digits) == _UUID_DIGITS and _HEX.fullmatch(digits) else ()


def perfmap_readings(text: str) -> tuple[SymbolId, ...]:
    """Readings of `<version>-<signature>`: its bytes in their order (.NET's tools), and as a GUID's (PerfView)."""
    match = _PERFMAP.fullmatch(text.lower())
    if match is None:
        return ()
    version, signature = int(match[1]), match[2]
    return tuple(dict.fromkeys((perfmap_id(version, signature), perfmap_id(version, swapped(signature)))))


def readings(text: str) -> tuple[SymbolId, ...]:
    """Every id that a bare hexadecimal path segment can mean, best first; empty when it is none."""
    digits = text.lower()
    if not _HEX.fullmatch(digits):
        return ()
    found: list[SymbolId] = []
    if 32 <= len(digits) <= 42:
        guid, age = digits[:32], digits[32:]
        if len(age) <= 8:
            found.append(SymbolId(DEBUG, guid + (age.lstrip("0") or "0" if age else "")))
        # lldb's symstore locator prints the age in decimal, which takes up to ten digits.
        if age.isdecimal() and 10 <= int(age) < 1 << 32:
            found.append(SymbolId(DEBUG, f"{guid}{int(age):x}"))
    if 9 <= len(digits) <= 16:
        # The Python symstore package pads small image sizes to four digits.
        found.append(SymbolId(PE, digits[:8] + (digits[8:].lstrip("0") or "0")))
    found.extend(build_readings(digits))
    found.extend(uuid_readings(digits))  # rust-minidump asks for Mach-O code by the bare UUID
    if len(digits) % 2 == 0 and len(digits) <= _WASM_LIMIT_DIGITS:
        found.append(SymbolId(WASM, digits))
    return tuple(found)
