"""What a converter is: a tool that makes one kind of file of another."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from symsrv.mirror.programs import Bounds, Ran, run
from symsrv.model.errors import SymsrvError
from symsrv.model.identity import Identity


class ConversionError(SymsrvError):
    """A file was not converted.

    Reasons: `no-converter` (no tool is here that can), `conversion-failed` (the tool refused, or made nothing of use),
    `conversion-timeout` (it took too long, or did nothing for too long), `nothing-to-convert` (what it would be made
    from is not here).
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that is here: its name, its version, and the command that runs it."""

    name: str
    version: str
    command: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be converted: plain files of this machine, and a folder of its own for what comes of it.

    `identity` is the one of the debug file that is meant, if it is several; `name` the name under which its symbols
    are asked for. `program` has the unwind data, where that is another file; `program_name` is what it is called.
    `heard` is called now and then, and may raise to end it.
    """

    debug: Path
    identity: Identity
    name: str
    folder: Path
    bounds: Bounds
    program: Path | None = None
    program_name: str | None = None
    heard: Callable[[], object] | None = None


class Converter(Protocol):
    """A kind of tool. `makes` is the extension of what it makes, without a dot."""

    name: str
    makes: str

    def tool(self, named: str = "") -> Tool | None:
        """The tool as it is here, or None; `named` is the program's path or name where somebody says it."""

    def takes(self, identity: Identity) -> bool:
        """Whether it can be expected to read such a file."""

    def convert(self, tool: Tool, job: Job) -> Path:
        """Makes the file, in the job's folder; raises ConversionError."""


def finished(ran: Ran, tool: Tool, job: Job) -> None:
    """Raises ConversionError unless the tool ended well and in time."""
    if ran.overrun in ("idle", "cpu", "total"):
        limit = {"idle": job.bounds.idle_seconds, "cpu": job.bounds.cpu_seconds, "total": job.bounds.total_seconds}
        did = "did nothing" if ran.overrun == "idle" else "was not done"
        sentence = f"{tool} {did} after {limit[ran.overrun]:g}s with {job.name}, and was ended"
        raise ConversionError("conversion-timeout", sentence)
    if ran.overrun is not None:
        most = job.bounds.output_bytes
        raise ConversionError("conversion-failed", f"{tool} made more than {most} bytes of {job.name}, and was ended")
    if not ran.done:
        raise ConversionError("conversion-failed", f"{tool} could not convert {job.name}: {ran}")


def attempt(tool: Tool, arguments: list[str], job: Job) -> None:
    """Runs a tool in the job's folder; raises ConversionError unless it ended well and in time."""
    try:
        ran = run([*tool.command, *arguments], job.folder, bounds=job.bounds, heard=job.heard)
    except OSError as error:
        raise ConversionError("no-converter", f"{tool} cannot be started: {error.strerror or error}") from error
    finished(ran, tool, job)


def lay(path: Path, place: Path) -> Path:
    """Lets a file appear at another place, by which the tool knows it: a link where that can be, else a copy."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for laying in (os.symlink, os.link):
        try:
            laying(path.absolute(), place)
        except (OSError, NotImplementedError):
            continue
        return place
    shutil.copyfile(path, place)
    return place
