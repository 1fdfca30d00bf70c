"""What is inside: the modules of a core, and the source files that DWARF names; by symsrv, elfutils and LLVM."""

import re
from collections.abc import Iterable
from pathlib import Path

from symsrv.formats import opened
from symsrv.formats.contents import CONTENTS_BUDGET_BYTES, contents
from symsrv.formats.modules import modules_of_path
from tests.interop.oracles.answers import NONE, Answer
from tests.interop.oracles.running import output

CORE = "elf core"
SOURCES = "elf sources"

_MODULE = re.compile(r"^0x([0-9a-f]+)\+0x[0-9a-f]+ ([0-9a-f]+|-)", re.MULTILINE)


def our_modules(path: Path) -> Answer:
    """The build id of each module, by the address where it begins."""
    return Answer({f"module at {one.base:x}": one.build_id or NONE for one in modules_of_path(path) if one.base})


def eu_unstrip(program: str, path: Path, *, ours: Answer) -> Answer:
    """What eu-unstrip says; of a module that only symsrv found an id for, that it has none."""
    stdout, _ = output([program, "-n", f"--core={path}"])
    found = {f"module at {base}": NONE if raw == "-" else raw for base, raw in _MODULE.findall(stdout)}
    return Answer({**{place: NONE for place, raw in ours.fields.items() if raw}, **found})


def our_sources(path: Path) -> Answer:
    """The source files of an ELF file, one a line."""
    with opened(path, budget=CONTENTS_BUDGET_BYTES) as data:
        found = contents(data, "file")
    return Answer({"sources": "\n".join(sorted(found.sources if found else ()))})


def llvm_dwarfdump(program: str, files: Iterable[Path]) -> dict[Path, Answer]:
    """The same by LLVM, which reads line tables and compile folders in its own way."""
    found = {}
    for path in files:
        stdout, stderr = output([program, "--show-sources", path])
        lines = sorted(set(stdout.splitlines()))
        found[path] = Answer(refused=stderr.strip()) if "error:" in stderr and not lines else Answer(_sources(lines))
    return found


def _sources(lines: list[str]) -> dict[str, str]:
    return {"sources": "\n".join(lines)}
