"""Sentry's symcaches, by the library symbolic: addresses to functions, files and lines, made for fast look-ups.

The library reads untrusted bytes in native code, so it works in a process of its own, within the bounds of the job.
"""

import os
import sys
from importlib import metadata, util
from pathlib import Path

from symsrv.mirror.converters.base import ConversionError, Job, Tool, attempt, lay
from symsrv.model.identity import Identity
from symsrv.model.ids import PE

NAME = "symbolic"
FORMATS = ("pdb", "portable-pdb", "elf", "macho", "breakpad", "wasm")

_PROGRAM = """\
import sys
sys.path[:] = sys.argv[1].split(sys.argv[2])
from symbolic import Archive, SymbolicError
try:
    wanted, objects = sys.argv[5].lower(), list(Archive.open(sys.argv[3]).iter_objects())
    chosen = [one for one in objects if one.debug_id.replace("-", "")[:32].lower() == wanted] or objects[:1]
    if not chosen:
        sys.exit("no object is in it")
    with open(sys.argv[4], "wb") as writing:
        chosen[0].make_symcache().dump_into(writing)
except SymbolicError as error:
    sys.exit(str(error))
"""
_GUID_DIGITS = 32


class SymCache:
    """The package `symbolic`, an extra of ours; it has no wheels for Windows."""

    name = "symcache"
    makes = "symcache"

    def tool(self, named: str = "") -> Tool | None:
        """This Python with the library, whatever is named: that is for programs."""
        if util.find_spec(NAME) is None:
            return None
        return Tool(NAME, metadata.version(NAME), (sys.executable, "-I", "-S", "-c", _PROGRAM))

    def takes(self, identity: Identity) -> bool:
        """Whatever has functions and lines."""
        return identity.format in FORMATS and identity.ids[0].kind != PE  # the id of a PDB 2.0 has a PE's form

    def convert(self, tool: Tool, job: Job) -> Path:
        """The cache of the one object that is meant; unwind data has no place in it."""
        made = job.folder / "made.symcache"
        debug = lay(job.debug, job.folder / "debug" / job.name)
        wanted = (job.identity.debug_id or "")[:_GUID_DIGITS]
        attempt(tool, [os.pathsep.join(sys.path), os.pathsep, str(debug), str(made), wanted], job)
        if not made.is_file() or not made.stat().st_size:
            raise ConversionError("conversion-failed", f"{tool} made nothing of {job.name}")
        return made
