"""Material: what text symbols are made from, as far as our store has it: a debug file, and its program beside it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symsrv.mirror.converters import ConversionError
from symsrv.model.ask import Ask, Wants
from symsrv.model.identity import BOTH, CODE, SYM, Identity
from symsrv.model.ids import BUILD, DEBUG, UUID, SymbolId, readings
from symsrv.model.names import fold
from symsrv.model.records import StoredFile

if TYPE_CHECKING:
    from symsrv.store import SymbolStore

# The unwind data of these lies in the program alone; 32-bit x86 has its own in the PDB.
_NONE_IN_A_PDB = frozenset({"x86_64", "arm64", "arm64ec", "arm64x", "arm", "ia64"})
_SEPARATE = (".debug", ".dbg", ".dwarf")
_PDB = ".pdb"
_SHARED = (DEBUG, BUILD, UUID)
_NO_AGE = 33  # 32 digits, and an age of one digit

Takes = Callable[[Identity], bool]


@dataclass(frozen=True, slots=True)
class Material:
    """A debug file, which of its identities is meant, the name of its symbols, and its program if that is another."""

    debug: StoredFile
    identity: Identity
    name: str
    program: StoredFile | None = None
    program_name: str | None = None

    @property
    def lacks_unwind_data(self) -> bool:
        """Whether the program is missing that would bring what a stack is walked by."""
        return self.program is None and self.identity.format == "pdb" and self.identity.arch in _NONE_IN_A_PDB

    @property
    def ask(self) -> Ask:
        """The text symbols that come of it, as processors of dumps ask for them."""
        return Ask(Wants.SYM, _breakpad_ids(self.identity), self.name)


def find(store: "SymbolStore", ask: Ask, takes: Takes) -> Material:
    """What the text symbols that are asked for can be made from.

    `takes` says which files can be read. Raises ConversionError: `nothing-to-convert` while there is no debug file,
    `no-converter` for one that cannot be read.
    """
    unread: Identity | None = None
    for file, identity in _debug_files(store, ask):
        if takes(identity):
            return _with_program(store, file, identity, name=_module(ask, identity))
        unread = unread or identity
    if unread is not None:
        sentence = f"{unread.name} is here, and no tool makes text symbols of such a file ({unread.format})"
        raise ConversionError("no-converter", sentence)
    raise ConversionError("nothing-to-convert", f"no debug file of {ask.name or 'that id'} is here to be converted")


def of_arrival(store: "SymbolStore", identity: Identity, takes: Takes) -> Material | None:
    """What has become convertible when a file arrived: it, or the debug file of which it is the program.

    None if nothing has, or if nobody can tell under which name the module is asked for.
    """
    ids = pair_ids(identity)
    if identity.role == SYM or not ids:
        return None
    for file, debug in _matching(store, Ask(Wants.DEBUG, ids)):
        if not takes(debug) or not _breakpad_ids(debug):
            continue
        material = _with_program(store, file, debug, name="")
        name = _own_name(debug, material.program_name)
        return None if name is None else _named(material, name)
    return None


def partner(store: "SymbolStore", ask: Ask) -> Ask | None:
    """The debug file that would have to come first; None if its id cannot be told from what is known.

    Of ELF files and Mach-O files it can be told only from their program: Breakpad's ids do not say whose they are.
    """
    for _, program in _programs(store, ask):
        if ids := pair_ids(program):
            return Ask(Wants.DEBUG, ids, program.debug_file or program.name)
    if ask.name is not None and fold(ask.name).endswith(_PDB):
        return Ask(Wants.DEBUG, ask.ids, ask.name)
    return None


def _debug_files(store: "SymbolStore", ask: Ask) -> Iterator[tuple[StoredFile, Identity]]:
    """By the ids that are asked for, then by those that the program names if one is asked for by the program's id."""
    ids = asked_ids(ask)
    yield from _matching(store, Ask(Wants.DEBUG, ids, ask.name))
    yield from _matching(store, Ask(Wants.DEBUG, ids))
    for _, program in _programs(store, ask):
        ids = pair_ids(program)
        yield from _matching(store, Ask(Wants.DEBUG, ids, program.debug_file))
        yield from _matching(store, Ask(Wants.DEBUG, ids))


def _programs(store: "SymbolStore", ask: Ask) -> Iterator[tuple[StoredFile, Identity]]:
    yield from _matching(store, Ask(Wants.CODE, asked_ids(ask), ask.name))


def _matching(store: "SymbolStore", ask: Ask) -> Iterator[tuple[StoredFile, Identity]]:
    """The files that answer, each with the identity that does."""
    wanted = set(ask.ids)
    for file in store.find(ask):
        for identity in file.identities or store.identify(file.home):
            if identity.answers(ask.wants) and wanted & {*identity.ids, *identity.also}:
                yield file, identity
                break


def _with_program(store: "SymbolStore", file: StoredFile, identity: Identity, *, name: str) -> Material:
    if identity.kind != BOTH:
        for program, its in _matching(store, Ask(Wants.CODE, pair_ids(identity))):
            if its.kind in (CODE, BOTH) and program.home != file.home:
                return Material(file, identity, name, program, its.name)
    return Material(file, identity, name)


def _named(material: Material, name: str) -> Material:
    return Material(material.debug, material.identity, name, material.program, material.program_name)


def _module(ask: Ask, identity: Identity) -> str:
    """The name in the symbols: as asked, in the file's own case; a PDB's own where its program was asked for."""
    asked = ask.name or identity.name
    if identity.format == "pdb" and not any(one.kind == DEBUG for one in ask.ids):
        return identity.name
    return identity.name if fold(asked) == fold(identity.name) else asked


def _own_name(debug: Identity, program: str | None) -> str | None:
    """The name of a module, out of its files: a PDB's own; for others the program's, which debug files lengthen."""
    if debug.format == "pdb" or debug.kind == BOTH:
        return debug.name
    if program is not None:
        return program
    for ending in _SEPARATE:
        if fold(debug.name).endswith(ending):
            stem = debug.name[: -len(ending)]
            return stem if "." in stem else None  # `_.debug`, or called after the id
    return debug.name


def _breakpad_ids(identity: Identity) -> tuple[SymbolId, ...]:
    """The ids in Breakpad's form: a PDB's own, or what is made of a build id or a UUID."""
    also = [one for one in identity.also if one.kind == DEBUG] if identity.format == "elf" else []
    own = [one for one in readings(identity.debug_id or "") if one.kind == DEBUG][:1]
    return tuple(dict.fromkeys([*own, *also]))


def pair_ids(identity: Identity) -> tuple[SymbolId, ...]:
    """The ids that a debug file and its program have in common."""
    return tuple(one for one in (*identity.ids, *identity.also) if one.kind in _SHARED)


def asked_ids(ask: Ask) -> tuple[SymbolId, ...]:
    """The ids of text symbols as their files have them: Breakpad's of a Mach-O file is its UUID with an age of 0."""
    uuids = (SymbolId(UUID, one.value[:-1]) for one in ask.ids if one.kind == DEBUG and len(one.value) == _NO_AGE)
    return tuple(dict.fromkeys([*ask.ids, *uuids]))


def sym_ids(identity: Identity) -> tuple[SymbolId, ...]:
    """The ids by which text symbols of a file are asked for."""
    return tuple(dict.fromkeys([*_breakpad_ids(identity), *identity.ids, *identity.also]))
