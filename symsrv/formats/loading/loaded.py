"""Loaded files: what is known of one, as a module. For dumps, cores and programs."""

from symsrv.formats.structures.guid import GUID_BYTES, breakpad_id, guid_text
from symsrv.model.identity import CODE, DEBUG_INFO, Identity
from symsrv.model.ids import PE, build_id, debug_id
from symsrv.model.modules import Module
from symsrv.model.names import base_name

DELETED = " (deleted)"  # what Linux puts behind the path of a mapped file that is gone


def loaded_name(path: str) -> str:
    """The last component of a path as a dump has it, without the mark of a deleted file."""
    return base_name(path).removesuffix(DELETED)


def elf_module(path: str, raw: bytes | None, *, base: int | None = None, size: int | None = None) -> Module:
    """An ELF file by its build id, if that is known; its symbols are also asked for by Breakpad's id."""
    if not raw or not any(raw):
        return Module(loaded_name(path), path, base=base, size=size)
    whole, guid = build_id(raw), guid_text(raw[:GUID_BYTES].ljust(GUID_BYTES, b"\0"))
    return Module(
        name=loaded_name(path),
        path=path,
        code_ids=(whole,),
        debug_ids=(whole, debug_id(guid, 0)),
        code_id=raw.hex(),
        debug_id=breakpad_id(guid, 0),
        build_id=raw.hex(),
        base=base,
        size=size,
    )


def identity_module(identity: Identity, path: str, *, base: int | None = None, size: int | None = None) -> Module:
    """A file's own identity as a module; a PE's PDB is another file, whose ids are in `also`."""
    apart = identity.kind == CODE and identity.ids[0].kind == PE
    return Module(
        name=loaded_name(path),
        path=path,
        code_ids=() if identity.kind == DEBUG_INFO else identity.ids,
        debug_ids=identity.also if apart else (*identity.ids, *identity.also),
        code_id=identity.code_id,
        debug_id=identity.debug_id,
        debug_file=identity.debug_file,
        build_id=identity.build_id,
        base=base,
        size=size,
    )
