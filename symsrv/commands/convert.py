"""`symsrv convert`: makes text symbols or symcaches of debug files, by the tools that the puller uses."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symsrv.commands.base import Context, outcome, verb
from symsrv.model.errors import Exit, SourceError, SymsrvError

if TYPE_CHECKING:
    from symsrv.mirror.converters import Converter, Tool
    from symsrv.model.identity import Identity


@dataclass(frozen=True, slots=True)
class _Given:
    """One file, and what it is."""

    path: Path
    identities: "tuple[Identity, ...]"

    @property
    def is_program(self) -> bool:
        """Whether nothing is in it to debug with."""
        return all(one.kind == "code" for one in self.identities)


@verb(
    "convert",
    example="symsrv convert crash.pdb crash.exe\nsymsrv convert --to symcache -o out libcrash.so.debug",
    answers=True,
    configured=False,
    exits=(Exit.PARTLY,),
)
@click.option("--to", "makes", type=click.Choice(["sym", "symcache"]), default="sym", help="What to make.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path(), help="The folder for what is made.")
@click.option("--tool", default="", metavar="PROGRAM", help="The program that converts, if it is not on the PATH.")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def convert(context: Context, paths: tuple[Path, ...], makes: str, output: Path, tool: str) -> Exit:
    """Make text symbols (.sym, with Mozilla's dump_syms) or Sentry's symcaches of debug files.

    A program that is given with its debug file lends it its unwind data. The puller does the same with files of the
    store, where an upstream of the kind 'convert' is connected.
    """
    from symsrv.mirror.converters import chosen

    converter, found = chosen(makes, tool)
    output.mkdir(parents=True, exist_ok=True)
    good = bad = 0
    given: list[_Given] = []
    for path in paths:
        try:
            given.append(_Given(path, _identified(path)))
        except SymsrvError as error:
            bad += _refuse(context, path, error)
    for one in given:
        if one.is_program and any(_partner([one], other) for other in given if not other.is_program):
            continue  # it goes with its debug file
        for identity in one.identities:
            try:
                made = _convert(converter, found, one, identity, given=given, output=output)
            except SymsrvError as error:
                bad += _refuse(context, one.path, error)
                continue
            good += 1
            record = {"path": str(one.path), "made": str(made), "debug_id": identity.debug_id, "tool": str(found)}
            context.answer(record, text=str(made))
    return outcome(good=good, bad=bad)


def _identified(path: Path) -> "tuple[Identity, ...]":
    from symsrv.formats import identify_path

    try:
        return identify_path(path, path.name)
    except OSError as error:
        raise SourceError("unreadable", f"{path} cannot be read: {error.strerror or error}") from error


def _partner(programs: "Sequence[_Given]", debug: _Given) -> _Given | None:
    """The program that goes with a debug file."""
    from symsrv.mirror.material import pair_ids

    wanted = {number for one in debug.identities for number in pair_ids(one)}
    return next(
        (one for one in programs if wanted.intersection(number for its in one.identities for number in pair_ids(its))),
        None,
    )


def _convert(
    converter: "Converter", tool: "Tool", one: _Given, identity: "Identity", *, given: Sequence[_Given], output: Path
) -> Path:
    import shutil

    from symsrv.mirror.converters import ConversionError, Job
    from symsrv.mirror.programs import Bounds

    if not converter.takes(identity):
        sentence = f"no tool makes .{converter.makes} files of {one.path.name} ({identity.format})"
        raise ConversionError("no-converter", sentence)
    program = _partner([other for other in given if other.is_program and other is not one], one)
    name = program.path.name if program is not None and identity.format == "elf" else identity.name
    arch = f".{identity.arch}" if len(one.identities) > 1 else ""
    with tempfile.TemporaryDirectory(prefix="symsrv-", ignore_cleanup_errors=True) as folder:
        made = converter.convert(
            tool,
            Job(
                debug=one.path,
                identity=identity,
                name=name,
                folder=Path(folder),
                bounds=Bounds(),
                program=None if program is None else program.path,
                program_name=None if program is None else program.path.name,
            ),
        )
        stem = name.removesuffix(".pdb") if converter.makes == "sym" else name
        return Path(shutil.move(made, output / f"{stem}{arch}.{converter.makes}"))


def _refuse(context: Context, path: Path, error: SymsrvError) -> int:
    context.answer({"path": str(path), "error": str(error), "reason": error.reason})
    if not context.json:
        context.warn(f"{path}: {error} ({error.reason})")
    return 1
