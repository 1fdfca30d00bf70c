"""Small debug files for the tests of publishing: every number gives another file."""

import io
import struct
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from symsrv.store import SymbolStore, open_store
from tests.made.elf_builder import build_elf, note
from tests.made.pdb_builder import build_pdb, info_stream
from tests.made.pe_builder import GUID, Entry, build_pe, rsds


def pe(number: int = 1, *, tail: bytes = b"") -> bytes:
    """An executable; `tail` changes its bytes and not its id."""
    return build_pe([Entry(rsds(b"made.pdb", guid=guid(number)))], stamp=0x10000000 + number) + tail


def pdb(number: int = 1, *, tail: bytes = b"") -> bytes:
    """The symbols of `pe(number)`; `tail` fills the last page, so that the size stays what it was."""
    made = build_pdb(info=info_stream().replace(GUID, guid(number)))
    return made[: len(made) - len(tail)] + tail if tail else made


def elf(number: int = 1, *, tail: bytes = b"") -> bytes:
    """A shared library."""
    return build_elf(notes=note(number.to_bytes(4, "big") * 5)) + tail


def guid(number: int) -> bytes:
    return number.to_bytes(4, "little") + GUID[4:]


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def build(folder: Path, *, numbers: range = range(1, 2)) -> Path:
    """A build's output: executables with their symbols, a library, and what is no debug file."""
    for number in numbers:
        written(folder / f"app{number}.exe", pe(number))
        written(folder / f"app{number}.pdb", pdb(number))
        written(folder / "lib" / f"libapp{number}.so", elf(number))
    written(folder / "notes.txt", b"no debug file")
    return folder


@dataclass
class Place:
    """A store on disk, and what can be asked of its files."""

    root: Path
    store: SymbolStore

    def files(self) -> dict[str, bytes]:
        """The symbols in the store, by their homes."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            home = path.relative_to(self.root).as_posix()
            if path.is_file() and home.count("/") == 2 and not home.startswith((".symsrv/", "000Admin/")):
                found[home] = path.read_bytes()
        return {home: data for home, data in found.items() if not home.endswith("/refs.ptr")}

    def staged(self) -> list[str]:
        """What lies in the store that nobody asked to keep."""
        incoming = self.root / ".symsrv" / "incoming"
        return sorted(path.name for path in incoming.rglob("*") if path.is_file()) if incoming.exists() else []

    def documents(self) -> int:
        """How many transactions there are."""
        return len(list((self.root / ".symsrv" / "transactions").glob("*.jsonl")))


def place(root: Path) -> Place:
    return Place(root, open_store(str(root), create=True, state=root.parent / "state"))


def zipped(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files, in their order."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def tarred(members: dict[str, bytes], *, mode: str = "w") -> bytes:
    """A tar of these files, in their order; `mode` says how it is compressed (`w:gz`)."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def cabinet(name: str, data: bytes) -> bytes:
    """A cabinet of one file, not compressed: what `foo.pd_` is."""
    blocks = [data[at : at + 0x8000] for at in range(0, len(data), 0x8000)]
    body = b"".join(struct.pack("<IHH", 0, len(block), len(block)) + block for block in blocks)
    entry = struct.pack("<IIHHHH", len(data), 0, 0, 0x5000, 0, 0x20) + name.encode() + b"\0"
    start = 36 + 8 + len(entry)
    head = struct.pack("<4s4xI4xI4xBBHHHHH", b"MSCF", start + len(body), 44, 3, 1, 1, 1, 0, 1, 0)
    return head + struct.pack("<IHH", start, len(blocks), 0) + entry + body


def damaged(archive: bytes, data: bytes) -> bytes:
    """A stored zip in which one byte of a member is another, so that its checksum is wrong."""
    at = archive.index(data) + len(data) - 1
    return archive[:at] + bytes([archive[at] ^ 0xFF]) + archive[at + 1 :]
