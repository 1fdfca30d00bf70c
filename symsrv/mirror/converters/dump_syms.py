"""Breakpad's text symbols, by Mozilla's dump_syms: from PDB, ELF and Mach-O, on any system.

The tool names the module after the file it is given, and finds a PDB's program beside it by the PDB's own stem. Both
names are wrong where a store knows the file by another one, so files are laid out for it, and the line that names the
program is put right afterwards. It is not Breakpad's own tool of that name, which reads another command line.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

from symsrv.mirror.converters.base import ConversionError, Job, Tool, attempt, lay
from symsrv.mirror.programs import Bounds, run
from symsrv.model.identity import Identity
from symsrv.model.ids import PE

NAME = "dump_syms"
FORMATS = ("pdb", "elf", "macho")

_VERSION = re.compile(r"dump_syms (\S+)")
_VERSION_SECONDS = 30.0
_HEAD_BYTES = 4096
_CODE_ID = re.compile(rb"^(INFO CODE_ID [0-9A-Fa-f]+)(?: [^\r\n]*)?(?=\r?\n)", re.MULTILINE)
_RECORDS = (b"\nFUNC ", b"\nPUBLIC ", b"\nSTACK ")
_BLOCK_BYTES = 1 << 20
_BESIDE = (".dll", ".exe")
"""The endings under which it looks for a PDB's program."""

# Of a fat file it takes one slice, by symbolic's words for processors.
_SLICES = frozenset(
    {"x86", "x86_64", "x86_64h", "arm64", "arm64e", "arm64_32", "arm", "ppc", "ppc64"}
    | {f"armv{version}" for version in ("5", "6", "6m", "7", "7f", "7s", "7k", "7m", "7em")}
)


class DumpSyms:
    """`dump_syms` on the PATH, or at the place that is named."""

    name = NAME
    makes = "sym"

    def tool(self, named: str = "") -> Tool | None:
        """Mozilla's tool answers `--version`; Breakpad's own of the same name does not, and is none."""
        program = shutil.which(named or NAME)
        if program is None:
            return None
        with tempfile.TemporaryDirectory(prefix="symsrv-", ignore_cleanup_errors=True) as folder:
            try:
                ran = run([program, "--version"], Path(folder), bounds=Bounds(total_seconds=_VERSION_SECONDS))
            except OSError:
                return None
        version = _VERSION.fullmatch(ran.stdout)
        return Tool(NAME, version[1], (os.path.abspath(program),)) if ran.done and version else None  # noqa: PTH100

    def takes(self, identity: Identity) -> bool:
        """PDB 7.0 (not 2.0, not portable ones), ELF, Mach-O."""
        return identity.format in FORMATS and identity.ids[0].kind != PE  # the id of a PDB 2.0 has a PE's form

    def convert(self, tool: Tool, job: Job) -> Path:
        """With inlined functions, and with the unwind data of a program that is another file."""
        made = job.folder / "made.sym"
        arguments = ["--inlines", "-o", str(made)]
        if job.identity.format == "macho" and job.identity.arch in _SLICES:
            arguments += ["--arch", job.identity.arch]
        attempt(tool, [*arguments, *_laid(job)], job)
        if not made.is_file():
            raise ConversionError("conversion-failed", f"{tool} made nothing of {job.name}")
        if not _has_records(made):
            sentence = f"{tool} found no function, no public symbol and no unwind data in {job.name}"
            raise ConversionError("conversion-failed", sentence)
        return made if job.program_name is None else _with_program(made, job.program_name)


def _laid(job: Job) -> list[str]:
    """Lays out the files, each under the name that the tool is to know it by; the paths that it is told."""
    debug = lay(job.debug, job.folder / "debug" / job.name)
    if job.program is None:
        return [str(debug)]
    if job.identity.format == "pdb":
        ending = Path(job.program_name or "").suffix.lower()
        lay(job.program, debug.with_suffix(ending if ending in _BESIDE else _BESIDE[0]))
        return [str(debug)]
    # Of two files it merges the records if their ids agree; it does so for as many files as it has threads.
    return [str(debug), str(lay(job.program, job.folder / "program" / job.name)), "-j", "2"]


def _has_records(made: Path) -> bool:
    """Whether there is more in it than what the module is."""
    with made.open("rb") as reading:
        before = b""
        while block := reading.read(_BLOCK_BYTES):
            window = before + block
            if any(record in window for record in _RECORDS):
                return True
            before = window[-16:]
    return False


def _with_program(made: Path, name: str) -> Path:
    """The file with the program's own name in the line of its id: the tool knows it by the PDB's, cut and extended."""
    with made.open("rb") as reading:
        head = reading.read(_HEAD_BYTES)
        right = _CODE_ID.sub(lambda found: found[1] + b" " + name.encode(), head, count=1)
        if right == head:
            return made
        named = made.with_name("named.sym")
        with named.open("wb") as writing:
            writing.write(right)
            shutil.copyfileobj(reading, writing, _BLOCK_BYTES)
    made.unlink()
    return named
