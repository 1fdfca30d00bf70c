"""The files that are compared, each with its format by its first bytes, so that symsrv has no say in it."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from symsrv.formats.base import HEAD_BYTES
from tests.interop.oracles import built, wheels
from tests.made import corpus, zig

MACHINE_FOLDERS = ("/usr/lib", "/usr/bin")
MACHINE_LIMIT = 3000
_MACHO = (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbf")
_FAT_SLICES = 32  # a Java class begins with the same word, and then has a larger number


@dataclass(frozen=True, order=True)
class Sample:
    """One file. `place` is where it comes from: `made`, `built`, `wheels`, `machine` or `corpus`."""

    path: Path
    kind: str
    place: str

    def stamp(self) -> tuple[int, ...]:
        """Which file it is: the machine's may be replaced by a package manager while the tools read them."""
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def __str__(self) -> str:
        return f"{self.place}: {self.path}"


def every(folder: Path) -> list[Sample]:
    """All of them, each once; what has to be built goes into the folder."""
    found = {
        **_samples("machine", _machine()),
        **_samples("corpus", (one.path for one in corpus.all_entries())),
        **_samples("wheels", wheels.unpacked()),
        **_samples("built", built.write(folder)),
        **_samples("made", _made()),
    }
    return sorted(found.values())


def kind_of(head: bytes) -> str | None:
    """The format that a file says to be, if there is a tool to ask about it."""
    if head.startswith(b"\x7fELF"):
        return "elf"
    if head.startswith(b"MZ"):
        return "pe"
    if head.startswith(b"Microsoft C/C++ MSF 7.00"):
        return "pdb"
    if head.startswith(b"BSJB"):
        return "portable-pdb"
    if head.startswith(_MACHO) or (head[:4] == b"\xca\xfe\xba\xbe" and int.from_bytes(head[4:8], "big") <= _FAT_SLICES):
        return "macho"
    if head.startswith(b"\0asm"):
        return "wasm"
    return "breakpad" if head.startswith(b"MODULE ") else None


def _samples(place: str, paths: Iterable[Path]) -> dict[Path, Sample]:
    found = {}
    for path in paths:
        try:
            with path.open("rb") as file:
                kind = kind_of(file.read(HEAD_BYTES))
        except OSError:
            continue
        if kind:
            found[path] = Sample(path, kind, place)
    return found


def _machine() -> list[Path]:
    """The ELF files of the system's folders; of too many those whose paths have the smallest hashes."""
    found = [one for folder in MACHINE_FOLDERS for one in _below(folder)]
    if len(found) > MACHINE_LIMIT:
        found = sorted(found, key=lambda one: hashlib.sha256(os.fsencode(one)).digest())[:MACHINE_LIMIT]
    return found


def debug_files(limit: int) -> list[Path]:
    """The machine's separate debug files, if it has any; of too many, every so many-th."""
    found = sorted(_below("/usr/lib/debug"))
    return found[:: max(1, -(-len(found) // limit))]


def _below(top: str) -> Iterator[Path]:
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 (sixty thousand of them)
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                if os.read(descriptor, 4) == b"\x7fELF":
                    yield Path(path)
            except OSError:
                continue
            finally:
                os.close(descriptor)


def _made() -> Iterator[Path]:
    for arch in zig.WINDOWS_TARGETS:
        pair = zig.linked(arch)
        yield from (pair.code, pair.debug)
    for arch in zig.ELF_TARGETS:
        yield zig.elf(arch).path
        yield zig.elf(arch, "none").path
    for style in ("md5", "uuid", "fast", "0x0102030405060708090a0b0c0d0e0f101112131415161718191a", "0xab"):
        yield zig.elf("x86_64", style).path
        yield zig.elf("s390x", style).path
    yield zig.elf(debug=False).path
    yield zig.relocatable()
    for arch in zig.MACHO_TARGETS:
        yield zig.macho(arch)
    for style in ("sha1", "uuid", "fast", "none"):
        yield zig.wasm(style)
    yield zig.wasm(debug=False)
