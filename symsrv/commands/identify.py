"""`symsrv identify`: what each file is, its ids, and the keys under which it is asked for."""

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import click

from symsrv.commands.base import Context, outcome, verb
from symsrv.model.errors import Exit, SymsrvError
from symsrv.model.identity import Identity


@verb(
    "identify",
    example="symsrv identify out/crash.exe out/crash.pdb\nsymsrv identify --json out/",
    answers=True,
    configured=False,
    exits=(Exit.PARTLY,),
)
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def identify(context: Context, paths: tuple[Path, ...]) -> Exit:
    """Say what each file is, its ids, and the keys under which debuggers ask for it.

    A folder stands for all files in it and below. Only headers are read, so a file's size does not matter.
    """
    good = bad = 0
    for path in chain.from_iterable(map(_files, paths)):
        try:
            size, identities = _look(path)
        except (SymsrvError, OSError) as error:
            bad += 1
            reason = error.reason if isinstance(error, SymsrvError) else _reason(error)
            sentence = str(error) if isinstance(error, SymsrvError) else (error.strerror or str(error)).lower()
            context.answer({"path": str(path), "error": sentence, "reason": reason})
            if not context.json:
                context.warn(f"{path}: {sentence} ({reason})")
        else:
            good += 1
            for identity in identities:
                record = _record(path, size, identity)
                context.answer(record, text=_text(record))
    return outcome(good=good, bad=bad)


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or every file below a folder in a fixed order; links to folders are not followed."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names))


def _look(path: Path) -> tuple[int, tuple[Identity, ...]]:
    from symsrv.formats import identify_path

    return path.stat().st_size, identify_path(path)


def _reason(error: OSError) -> str:
    return "missing" if isinstance(error, FileNotFoundError) else "unreadable"


def _record(path: Path, size: int, identity: Identity) -> dict[str, Any]:
    from symsrv.layouts import keys

    return {
        "path": str(path),
        "format": identity.format,
        "kind": identity.kind,
        "arch": identity.arch,
        "name": identity.name,
        "size": size,
        "code_id": identity.code_id,
        "debug_id": identity.debug_id,
        "debug_file": identity.debug_file,
        "build_id": identity.build_id,
        "keys": list(keys(identity)),
        "notes": list(identity.notes),
    }


def _text(record: dict[str, Any]) -> str:
    lines = [
        f"{record['path']}: {record['format']} {record['kind']}" + (f", {record['arch']}" if record["arch"] else "")
    ]
    for label in ("code_id", "debug_id", "debug_file", "build_id"):
        if record[label]:
            lines.append(f"  {label.replace('_', ' '):<10} {record[label]}")
    lines += [f"  {'key':<10} {key}" for key in record["keys"]]
    lines += [f"  {'note':<10} {note}" for note in record["notes"]]
    return "\n".join(lines)
