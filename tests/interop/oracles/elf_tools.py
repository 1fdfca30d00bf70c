"""What other tools say of ELF files: the build id of the GNU note, and the libraries that they name."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from tests.interop.oracles.answers import BUILD_ID, LOADS, NONE, Answer, joined
from tests.interop.oracles.running import by_file

_BUILD_ID = re.compile(r"\s+Build ID: ([0-9a-f]+)$")
_READELF_ID = re.compile(r"\s+GNU\s+0x[0-9a-f]+\s+NT_GNU_BUILD_ID .*Build ID: ([0-9a-f]+)$")
_NEEDED = re.compile(r"\s+0x[0-9a-f]+ \(NEEDED\)\s+Shared library: \[(.*)\]$")
_LLVM_NEEDED = re.compile(r"\s+0x[0-9A-F]+ NEEDED\s+Shared library: \[(.*)\]$")


def readelf(program: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """Binutils: notes by section or segment, and the dynamic table."""
    found = by_file([program, "-n", "-d", "-W"], files, heading=_after("File: "))
    return {path: _answer(lines, _READELF_ID, _NEEDED) for path, lines in found.items()}


def llvm_readobj(program: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """LLVM: the same."""
    found = by_file([program, "--notes", "--dynamic-table"], files, heading=_after("File: "))
    return {path: _answer(lines, _BUILD_ID, _LLVM_NEEDED) for path, lines in found.items()}


def eu_readelf(program: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """elfutils: the notes alone."""
    found = by_file([program, "-n"], files, heading=lambda line: line[:-1] if line.endswith(":") else None)
    return {path: _answer(lines, _BUILD_ID, None) for path, lines in found.items()}


def pyelftools(files: Iterable[Path]) -> dict[Path, Answer]:
    """pyelftools: the notes, by sections and then by segments."""
    found = {}
    for path in files:
        try:
            with path.open("rb") as file:
                found[path] = Answer({BUILD_ID: _python_build_id(ELFFile(file))})
        except (ELFError, ValueError, KeyError, AttributeError, UnicodeDecodeError) as error:
            found[path] = Answer(refused=repr(error))
    return found


def _python_build_id(elf: ELFFile) -> str:
    sections = (one for one in elf.iter_sections() if one["sh_type"] == "SHT_NOTE")
    for holder in (*sections, *elf.iter_segments("PT_NOTE")):
        for note in holder.iter_notes():
            if note["n_type"] == "NT_GNU_BUILD_ID" and note["n_name"] == "GNU":
                return str(note["n_desc"])
    return NONE


def _after(word: str) -> Callable[[str], str | None]:
    return lambda line: line[len(word) :] if line.startswith(word) else None


def _answer(lines: list[str], pattern: re.Pattern[str], needed: re.Pattern[str] | None) -> Answer:
    """The first build id, as symsrv and debuggers take it, and the libraries where the tool was asked for them."""
    ids = [match[1] for line in lines if (match := pattern.match(line))]
    fields = {BUILD_ID: ids[0] if ids else NONE}
    if needed:
        fields[LOADS] = joined(match[1] for line in lines if (match := needed.match(line)))
    return Answer(fields, {"ids": " ".join(ids)})
