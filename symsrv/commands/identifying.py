"""What `identify` looks at, archives and folders included, and how its answers read."""

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from symsrv.commands.base import shown
from symsrv.formats import identify_path, opened, recognised
from symsrv.formats.base import HEAD_BYTES
from symsrv.layouts import keys
from symsrv.model.errors import NotIdentified, SymsrvError
from symsrv.model.identity import Identity
from symsrv.model.modules import Module

if TYPE_CHECKING:
    from symsrv.ingest.results import FileResult
    from symsrv.ingest.sources import Source
    from symsrv.ingest.unpacking import Spool

LIST_LIMIT = 20  # lines of one list on a terminal; a program has thousands of source files
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Seen:
    """One file to look at: `label` is how it is called, `path` where it lies, and `failure` why it cannot be read."""

    label: str
    path: Path
    name: str | None = None
    failure: Exception | None = None

    def identities(self) -> tuple[int, tuple[Identity, ...]]:
        """Its size and what it is; raises SymsrvError or OSError."""
        if self.failure is not None:
            raise self.failure
        return self.path.stat().st_size, identify_path(self.path, self.name)

    def modules(self) -> Iterator[Module]:
        """Its modules; raises SymsrvError or OSError, perhaps after some of them."""
        from symsrv.formats.modules import modules_of_path

        if self.failure is not None:
            raise self.failure
        return modules_of_path(self.path, self.name)

    def contents(self, name: str) -> dict[str, Any] | None:
        """The record of its contents; None for what has nothing to list. Raises NotIdentified or OSError."""
        from symsrv.formats.contents import CONTENTS_BUDGET_BYTES, contents

        with opened(self.path, budget=CONTENTS_BUDGET_BYTES) as data:
            found = contents(data, name)
        return None if found is None else found.to_record()


@dataclass(slots=True)
class Files:
    """The files that the paths stand for: themselves, what folders have in a fixed order, and what archives hold.

    Links to folders are not followed. A member of an archive is called `a.zip!bin/foo.pdb`, and lies in a temporary
    folder until the next file is asked for.
    """

    paths: Sequence[Path]
    _spools: "list[Spool]" = field(default_factory=list)

    def __iter__(self) -> Iterator[Seen]:
        try:
            for path in self.paths:
                for one in _below(path):
                    yield from self._file(one)
        finally:
            for spool in self._spools:
                spool.close()

    def _file(self, path: Path) -> Iterator[Seen]:
        if not _is_archive(path):
            yield Seen(str(path), path)
            return
        from symsrv.ingest.sources import Source

        yield from self._members(Source(path, str(path)))

    def _members(self, archive: "Source") -> Iterator[Seen]:
        from symsrv.ingest.results import FileResult
        from symsrv.ingest.unpacking import Spool, unpack

        if not self._spools:
            self._spools.append(Spool())
        spool = self._spools[0]
        try:
            with closing(cast("Generator[Source | FileResult, None, None]", unpack(archive, spool))) as found:
                for one in found:
                    if isinstance(one, FileResult):
                        yield Seen(one.path, archive.path, failure=_failure(one))
                        continue
                    try:
                        if _is_archive(one.path):
                            yield from self._members(one)
                        else:
                            yield Seen(one.label, one.path, one.file_name)
                    finally:
                        spool.drop(one.path)
        except SymsrvError as error:
            yield Seen(archive.label, archive.path, failure=error)


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names))


def _is_archive(path: Path) -> bool:
    """Whether it is no debug file but an archive; what cannot be read is none, and says so later."""
    try:
        with opened(path) as data:
            if recognised(data.up_to(0, HEAD_BYTES)):
                return False
            from symsrv.packing import HEAD_BYTES as LONGER_HEAD_BYTES
            from symsrv.packing import kind_of

            return kind_of(data.up_to(0, LONGER_HEAD_BYTES)) is not None
    except (OSError, NotIdentified):
        return False


def _failure(result: "FileResult") -> NotIdentified:
    return NotIdentified(result.reason or "failed", result.sentence or "it was not unpacked")


def identity_record(seen: Seen, size: int, identity: Identity) -> dict[str, Any]:
    """The line of `identify --json`."""
    return {
        "path": seen.label,
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


def identity_text(record: dict[str, Any]) -> str:
    """The same for people."""
    lines = [
        f"{record['path']}: {record['format']} {record['kind']}" + (f", {record['arch']}" if record["arch"] else "")
    ]
    for label in ("code_id", "debug_id", "debug_file", "build_id"):
        if record[label]:
            lines.append(_line(label.replace("_", " "), record[label]))
    lines += [_line("key", key) for key in record["keys"]]
    lines += [_line("note", note) for note in record["notes"]]
    if record.get("contents"):
        lines += _contents_lines(record["contents"])
    return "\n".join(lines)


def on_terminal() -> bool:
    """Whether a person reads along."""
    return sys.stdout is not None and sys.stdout.isatty()


def _line(label: str, value: object) -> str:
    return f"  {label:<11} {shown(str(value))}"


def _contents_lines(record: dict[str, Any]) -> list[str]:
    sections = [
        f"{one['name']} {one['size']}" + (" compressed" if one["compressed"] else "") for one in record["sections"]
    ]
    lists = {
        "section": sections,
        "source": record["sources"],
        "source link": (record["source_link"] or "").splitlines(),
        "srcsrv": (record["srcsrv"] or "").splitlines(),
        "embedded": record["embedded"],
    }
    limit = LIST_LIMIT if on_terminal() else None
    lines: list[str] = []
    for label, values in lists.items():
        lines += [_line(label, one) for one in values[:limit]]
        if limit is not None and len(values) > limit:
            lines.append(_line(label, f"and {len(values) - limit} more, which --json has"))
    return lines


def module_record(seen: Seen, module: Module) -> dict[str, Any]:
    """The line of `identify --modules --json`."""
    return {"dump": seen.label, **module.to_record()}


def modules_text(seen: Seen, modules: Sequence[Module]) -> str:
    """A table: name, version, ids; a dash for what the dump does not tell."""
    count = f"{len(modules)} module" + ("" if len(modules) == 1 else "s")
    rows: list[tuple[str | None, ...]] = [("name", "version", "code id", "debug id")]
    rows += [(one.name or one.path, one.version, one.code_id, one.debug_id) for one in modules]
    cells = [[shown(cell or _NONE) for cell in row] for row in rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(cells[0]))]
    table = ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    return "\n".join([f"{seen.label}: {count}", *(table if modules else [])])
