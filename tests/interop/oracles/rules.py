"""The disagreements that are understood: each has a name, says why, and checks the very values.

A rule looks at what both said and, where that is not enough, at the file. What it does not expect to the last digit
stays unexplained.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import xor

from elftools.elf.elffile import ELFFile

from symsrv.model.ids import swapped
from tests.interop.oracles.answers import BUILD_ID, CODE_ID, DEBUG_ID, NONE, PDB_IDS, PDB_NAME, Answer
from tests.interop.oracles.material import Sample

SENTRY = ("symbolic", "dump_syms")  # the second is built on the first
_ET_REL, _ET_CORE = 1, 4
_GUID_DIGITS = 32


@dataclass(frozen=True)
class Case:
    """One field of one file in which a tool says something else."""

    sample: Sample
    tool: str
    field: str
    ours: Answer
    theirs: Answer

    @property
    def us(self) -> str:
        return self.ours.fields.get(self.field, NONE)

    @property
    def them(self) -> str:
        return self.theirs.fields[self.field]

    @property
    def elf_type(self) -> int:
        return int.from_bytes(self.head[16:18], "big" if self.big_endian else "little")

    @property
    def big_endian(self) -> bool:
        return self.head[5] == 2

    @property
    def head(self) -> bytes:
        """The beginning of an ELF header."""
        with self.sample.path.open("rb") as file:
            return file.read(18)


@dataclass(frozen=True)
class Rule:
    """Why a tool may differ, and whether that is what happened."""

    name: str
    kind: str
    tools: tuple[str, ...]
    fields: tuple[str, ...]
    holds: Callable[[Case], bool]


def explanation(sample: Sample, tool: str, *, field: str, ours: Answer, theirs: Answer) -> str | None:
    """The name of the rule that explains a difference; None if there is none."""
    case = Case(sample, tool, field, ours, theirs)
    for rule in RULES:
        if rule.kind == sample.kind and tool in rule.tools and field in rule.fields and rule.holds(case):
            return rule.name
    return None


def _big_endian(case: Case) -> bool:
    """Breakpad swaps the first fields of the id whatever the file; symbolic leaves them if it is big-endian."""
    return case.big_endian and len(case.us) > _GUID_DIGITS and case.them == swapped(case.us[:_GUID_DIGITS]) + "0"


def _object_file(case: Case) -> bool:
    """An object file has no build id and is loaded by nothing; symsrv does not file it by the hash of its code."""
    if case.elf_type != _ET_REL or case.ours.refused != "no-id":
        return False
    with case.sample.path.open("rb") as file:
        code = ELFFile(file).get_section_by_name(".text").data()[:4096]
    lanes = [code[at : at + 16].ljust(16, b"\0") for at in range(0, len(code), 16)]
    folded = bytes(reduce(xor, column) for column in zip(*lanes, strict=True)).hex()
    return case.them == (folded if case.big_endian else swapped(folded)) + "0"


def _core(case: Case) -> bool:
    """Both take the first note of type 3 for a build id, whoever owns it: in a core that is the process's state."""
    return case.elf_type == _ET_CORE and case.ours.refused == "not-symbols" and _owned_by_core(case)


def _foreign_owner(case: Case) -> bool:
    """The same in a library: the note of another owner stands before the one of GNU."""
    return case.elf_type != _ET_CORE and _owned_by_core(case)


def _owned_by_core(case: Case) -> bool:
    """Whether the id is made of what stands behind the name CORE."""
    digits, data = case.them, case.sample.path.read_bytes()
    if case.field == DEBUG_ID:
        digits, age = digits[:_GUID_DIGITS], digits[_GUID_DIGITS:]
        if age != "0":
            return False
        digits = digits if case.big_endian else swapped(digits)
    content = bytes.fromhex(digits)
    at = data.find(content.rstrip(b"\0") if case.field == DEBUG_ID else content)
    return at > 0 and data[max(0, at - 12) : at].rstrip(b"\0").endswith(b"CORE")


def _by_segments_alone(case: Case) -> bool:
    """A separate debug file keeps the program's segments, and their offsets are those of the program."""
    return case.ours.more.get("kind") == "debug" and bool(case.us) and case.them == NONE


def _not_padded(case: Case) -> bool:
    """LLD does not pad the last note: if the id's length is no multiple of four, other tools call it corrupt."""
    return bool(case.us) and len(case.us) // 2 % 4 != 0 and case.them == NONE


def _by_sections_alone(case: Case) -> bool:
    """There are section headers, so they look no further; but the note is in a segment that no section covers."""
    if case.them != NONE:
        return False
    with case.sample.path.open("rb") as file:
        elf = ELFFile(file)
        covered = any(one["sh_type"] == "SHT_NOTE" and any(one.iter_notes()) for one in elf.iter_sections())
        noted = [note["n_desc"] for one in elf.iter_segments("PT_NOTE") for note in one.iter_notes()]
        return elf.num_sections() > 0 and not covered and case.us in noted


def _portable(case: Case) -> bool:
    """A .NET image's record has the age 1; clients ask with FFFFFFFF, Breakpad's form has the entry's stamp."""
    ours, theirs = set(case.us.split()), case.them.split()
    stamps = dict(one.split(":") for one in case.theirs.more.get("portable", "").split())
    for one in theirs:
        guid = one[:_GUID_DIGITS]
        if one in ours:
            ours.discard(one)
        elif one == f"{guid}1" and guid in stamps:
            ours -= {f"{guid}{stamps[guid]}", f"{guid}ffffffff"}
        else:
            return False
    return not ours and bool(stamps)


def _old_codeview(case: Case) -> bool:
    """They do not read the record NB10, which names a PDB 2.0 by its signature and age."""
    return b"NB10" in case.sample.path.read_bytes() and bool(case.us) and case.them == NONE


def _four_digits(case: Case) -> bool:
    """The package pads the size of an image to four digits; symstore.exe and .NET's tools do not."""
    stamp, size = case.us[:8], case.us[8:]
    return len(size) < 4 and case.them == stamp + size.rjust(4, "0")


def _one_slice(case: Case) -> bool:
    """dump_syms makes the symbols of one slice of a fat file, that of the machine it runs on if there is one."""
    ours = case.us.split()
    return len(ours) > 1 and case.them in ours


def _length_kept(case: Case) -> bool:
    """wasm-ld writes a LEB128 length before the id: it is no part of it (tool-conventions, BuildId.md)."""
    us = bytes.fromhex(case.ours.fields[BUILD_ID])
    raw = bytes.fromhex(case.theirs.fields[BUILD_ID])
    length = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(raw[: -len(us)]))
    if not raw.endswith(us) or length != len(us):
        return False
    return case.field == BUILD_ID or case.them == raw[:16].ljust(16, b"\0").hex() + "0"


def _cut_line(case: Case) -> bool:
    """symbolic takes the rest of a cut MODULE line for an id; without a name it is not whole."""
    line = case.sample.path.read_bytes().split(b"\n", 1)[0].split()
    rest = line[-1].decode().lower()
    return case.ours.refused == "truncated" and len(line) < 5 and case.them == rest[:8] + rest[8:].lstrip("0")


def _split(case: Case) -> bool:
    """LLVM lists no sources of split DWARF; symsrv reads the line tables of both kinds."""
    return b".debug_line.dwo" in case.sample.path.read_bytes() and bool(case.us) and case.them == NONE


RULES = (
    Rule("big-endian files are not swapped", "elf", SENTRY, (DEBUG_ID,), _big_endian),
    Rule("object files are hashed", "elf", SENTRY, (DEBUG_ID,), _object_file),
    Rule("a core's process note is taken for a build id", "elf", SENTRY, (BUILD_ID, DEBUG_ID), _core),
    Rule("a note of another owner is taken for a build id", "elf", SENTRY, (BUILD_ID, DEBUG_ID), _foreign_owner),
    Rule("notes are found by segments alone", "elf", SENTRY, (BUILD_ID, DEBUG_ID), _by_segments_alone),
    Rule(
        "a last note without padding is corrupt",
        "elf",
        ("readelf", "eu-readelf", "llvm-readobj"),
        (BUILD_ID,),
        _not_padded,
    ),
    Rule("notes are found by sections alone", "elf", ("eu-readelf", "llvm-readobj"), (BUILD_ID,), _by_sections_alone),
    Rule(
        "the record of a portable PDB has the age 1", "pe", ("pefile", "llvm-readobj"), (DEBUG_ID, PDB_IDS), _portable
    ),
    Rule(
        "the record of a portable PDB has the age 1",
        "portable-pdb",
        ("program beside it (pefile)",),
        (DEBUG_ID,),
        _portable,
    ),
    Rule("NB10 is not read", "pe", (*SENTRY, "llvm-readobj"), (DEBUG_ID, PDB_IDS, PDB_NAME), _old_codeview),
    Rule("the image's size is padded", "pe", ("symstore (Python)",), (CODE_ID,), _four_digits),
    Rule("one slice of a fat file is read", "macho", ("dump_syms",), (DEBUG_ID,), _one_slice),
    Rule("the length counts to the build id", "wasm", ("symbolic", "llvm-readobj"), (BUILD_ID, DEBUG_ID), _length_kept),
    Rule("split DWARF has no sources", "elf sources", ("llvm-dwarfdump",), ("sources",), _split),
    Rule("a cut MODULE line is read", "breakpad", ("symbolic",), (DEBUG_ID,), _cut_line),
)
