"""Tools that make one kind of file of another, each within bounds; a new one is a file and a line in `CONVERTERS`."""

from symsrv.mirror.converters.base import ConversionError, Converter, Job, Tool
from symsrv.mirror.converters.dump_syms import DumpSyms
from symsrv.mirror.converters.symcache import SymCache

CONVERTERS: tuple[Converter, ...] = (
    DumpSyms(),
    SymCache(),
)
"""Every converter; of those that make the same, the first that is here and takes the file converts it."""

__all__ = ["CONVERTERS", "ConversionError", "Converter", "Job", "Tool", "chosen"]


def chosen(makes: str, job_named: str = "") -> tuple[Converter, Tool]:
    """The converter that makes such files, and its tool; raises ConversionError(`no-converter`) where none is here."""
    able = [one for one in CONVERTERS if one.makes == makes]
    for one in able:
        if (tool := one.tool(job_named)) is not None:
            return one, tool
    known = " or ".join(one.name for one in able) or "nothing"
    where = f"{job_named} cannot be run" if job_named else f"{known} is not on the PATH"
    raise ConversionError("no-converter", f"nothing here makes .{makes} files: {where}")
