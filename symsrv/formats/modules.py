"""The modules of a file: what a dump or a core had loaded, or what a program is and names to be loaded."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from symsrv.formats import identify, opened
from symsrv.formats.base import HEAD_BYTES, Reader
from symsrv.formats.loading.elf_core import core_modules, is_core
from symsrv.formats.loading.elf_needed import needed
from symsrv.formats.loading.loaded import identity_module, loaded_name
from symsrv.formats.loading.minidump_modules import minidump_modules
from symsrv.formats.loading.pe_imports import imported_libraries
from symsrv.formats.loading.pe_version import version
from symsrv.formats.macho import loaded_libraries, slices
from symsrv.formats.minidump import MAGICS
from symsrv.formats.structures.elf_tables import MAGIC
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import DEBUG_INFO
from symsrv.model.modules import Module
from symsrv.model.names import base_name, checked_name

MODULES_BUDGET_BYTES = 64 << 20  # a dump of a thousand modules takes less than one of them


def modules(data: Reader, name: str) -> Iterator[Module]:
    """The modules, the program itself first; those that a file merely names have neither ids nor addresses.

    `name` is the file's base name. Raises NotIdentified, perhaps after some modules, as a dump that was cut tells what
    it still has; and BadName if a program's name cannot be one in a store.
    """
    if not data.size:
        raise NotIdentified("empty", "the file is empty")
    head = data.up_to(0, HEAD_BYTES)
    if head[:4] in MAGICS:
        yield from minidump_modules(data)
    elif is_core(head):
        yield from core_modules(data)
    else:
        identities = identify(data, checked_name(name))
        numbers = version(data)
        own = ".".join(map(str, numbers)) if numbers and any(numbers) else None
        yield from (replace(identity_module(one, name), version=own) for one in identities)
        if any(one.kind != DEBUG_INFO for one in identities):
            yield from (Module(loaded_name(one), one) for one in dict.fromkeys(_loads(data, head)))


def modules_of_path(path: str | os.PathLike[str], name: str | None = None) -> Iterator[Module]:
    """The modules of a file on disk, under its own name or another one.

    Raises as `modules` does, and OSError if it cannot be read.
    """
    with opened(path, budget=MODULES_BUDGET_BYTES) as data:
        yield from modules(data, base_name(os.fspath(path)) if name is None else name)


def _loads(data: Reader, head: bytes) -> Iterable[str]:
    """The libraries that a program names. Its own ids are worth more than these, so a broken table only ends them."""
    try:
        if head[:2] == b"MZ":
            return imported_libraries(data)
        if head[:4] == MAGIC:
            return needed(data)
        return [one for part in slices(data) for one in loaded_libraries(data, part.offset)]
    except NotIdentified:
        return ()
