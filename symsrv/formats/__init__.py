"""Formats: what a file is, by its own bytes. A new format is a file here and a line in `FORMATS`."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from symsrv.formats.base import HEAD_BYTES, READ_BUDGET_BYTES, FileReader, Format, Reader
from symsrv.formats.breakpad import Breakpad
from symsrv.formats.dbg import Dbg
from symsrv.formats.elf import Elf
from symsrv.formats.macho import MachO
from symsrv.formats.minidump import Minidump
from symsrv.formats.msfz import Msfz
from symsrv.formats.pdb import Pdb
from symsrv.formats.pdb2 import Pdb2
from symsrv.formats.pe import Pe
from symsrv.formats.perfmap import PerfMap
from symsrv.formats.portable_pdb import PortablePdb
from symsrv.formats.wasm import Wasm
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import Identity
from symsrv.model.names import base_name, checked_name

FORMATS: tuple[Format, ...] = (
    Pe(),
    Pdb(),
    Pdb2(),
    Msfz(),
    Elf(),
    Minidump(),
    Dbg(),
    MachO(),
    Breakpad(),
    Wasm(),
    PerfMap(),
    PortablePdb(),
)

# O_NONBLOCK: opening a named pipe must not wait for its writer. Windows: no newline translation, no inheritance.
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


def recognised(head: bytes) -> bool:
    """Whether the first HEAD_BYTES look like any format: if not, the rest of a file need not be there."""
    head = head[:HEAD_BYTES]
    return any(one.sniff(head) for one in FORMATS)


def identify(data: Reader, name: str) -> tuple[Identity, ...]:
    """What the file is, one identity or several; `name` is its checked base name. Raises NotIdentified."""
    if not data.size:
        raise NotIdentified("empty", "the file is empty")
    head = data.up_to(0, HEAD_BYTES)
    for one in FORMATS:
        if one.sniff(head):
            found = tuple(one.identify(data, name))
            if found:
                return found
    raise NotIdentified("unknown-format", "it is not a debug file of any format that symsrv knows")


def identify_path(path: str | os.PathLike[str], name: str | None = None) -> tuple[Identity, ...]:
    """Identifies a file on disk, under its own name or another one.

    Raises NotIdentified, BadName if the name cannot be one in a store, and OSError if the file cannot be read.
    """
    checked = checked_name(base_name(os.fspath(path)) if name is None else name)
    with opened(path) as data:
        return identify(data, checked)


@contextmanager
def opened(path: str | os.PathLike[str], *, budget: int = READ_BUDGET_BYTES) -> Iterator[FileReader]:
    """A reader of a file on disk. Raises NotIdentified if it is no ordinary file, OSError if it cannot be read."""
    descriptor = os.open(path, _OPEN_FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotIdentified("unknown-format", "it is not an ordinary file")
        yield FileReader(descriptor, budget)
    finally:
        os.close(descriptor)
