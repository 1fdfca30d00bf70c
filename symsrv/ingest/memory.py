"""What a watcher published already, kept over a restart. Losing it costs a second look at every file, no more.

A file of lines, so that a publish of one file in a tree of many appends one line: a header, then what was dealt with,
each line laid over those before. It is written anew when it has many lines, and when the watcher ends. A line that a
power cut tore is left out.
"""

import hashlib
import json
import logging
import os
from collections.abc import Container, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from symsrv.ingest.results import FileResult, FileStatus

logger = logging.getLogger(__name__)

_FORMAT = 2
_SPARE = 1000
_LINES = 256
_PER_LINE = 1000


class Mark(NamedTuple):
    """By what a file's content is known to be unchanged without reading it."""

    size: int
    modified_ns: int
    inode: int


class Remembered(NamedTuple):
    """What became of a file with this mark; `key` and `sha256` if it got into the store."""

    mark: Mark
    status: str
    key: str | None = None
    sha256: str | None = None


class Memory:
    """What became of the files of one folder in one store; in a file, if there is one to keep it in.

    `others` are the files that do not belong into a store, as hashes of their marks: most files of a build are such,
    and to know that they are still the same takes no names. `gone` are files that are not there any more: a rebuild
    brings them back.
    """

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.files: dict[str, Remembered] = {}
        self.gone: dict[str, Remembered] = {}
        self.others: set[int] = set()
        self.ready: Mark | None = None
        self._lines = _LINES  # the first save writes it anew
        self._changed: set[str] = set()
        self._kept_others = 0
        self._complained = False
        if file is not None:
            self._load(file)

    @classmethod
    def of(cls, folder: str, *, store: str, state: Path | None) -> "Memory":
        """The memory of a folder for a store, in the state folder."""
        if state is None:
            return cls(None)
        which = hashlib.sha256(f"{store}\n{os.path.realpath(folder)}".encode("utf-8", "surrogateescape"))
        return cls(state / f"watch-{which.hexdigest()[:16]}.jsonl")

    def get(self, path: str) -> Remembered | None:
        """What is remembered of a path, whatever its state was and whether it is still there."""
        return self.files.get(path) or self.gone.get(path)

    def knows(self, path: str, mark: Mark) -> bool:
        """Whether a file of this mark has been dealt with."""
        known = self.files.get(path)
        if known is None and (known := self.gone.get(path)) is not None and known.mark == mark:
            self.files[path] = self.gone.pop(path)
        return known is not None and known.mark == mark

    def note(self, path: str, mark: Mark, result: FileResult) -> None:
        """Remembers what became of a file; a failure keeps what the store has from before."""
        before = self.get(path)
        key, sha256 = result.key, result.sha256
        if result.status not in (FileStatus.STORED, FileStatus.PRESENT):
            key, sha256 = (before.key, before.sha256) if before else (None, None)
        self.gone.pop(path, None)
        if result.status is FileStatus.IGNORED and key is None:
            self.files.pop(path, None)
            self.others.add(hash(mark))
            return
        self.files[path] = Remembered(mark, result.status.value, key, sha256)
        self._changed.add(path)

    def lose(self, seen: Container[str]) -> list[str]:
        """Sets aside the files that are not there any more; those of longest ago are forgotten when they are many."""
        lost = [path for path in self.files if path not in seen]
        for path in lost:
            self.gone[path] = self.files.pop(path)
        excess = len(self.gone) - len(self.files) - _SPARE
        for path in list(islice(self.gone, max(0, excess))):
            del self.gone[path]
        return lost

    def save(self) -> None:
        """Writes down what is new."""
        if self.file is None:
            return
        if self._lines + 1 + len(self._changed) // _PER_LINE >= _LINES:
            self.rewrite()
            return
        changed = {path: self.files[path] for path in self._changed if path in self.files}
        lines = list(self._written(changed))
        try:
            with self.file.open("a", encoding="ascii") as stream:
                # What the last one wrote may be torn.
                stream.write("".join(f"\n{line}" for line in lines) + "\n")
        except OSError as error:
            self._complain(error)
            return
        self._lines += len(lines)
        self._changed.clear()

    def save_others(self, *, most: int = 0) -> None:
        """Writes everything, if by now there are more than so many other files that a restart would look at again."""
        if abs(len(self.others) - self._kept_others) > most:
            self.rewrite()

    def rewrite(self) -> None:
        """Writes everything down afresh."""
        if self.file is None:
            return
        temporary = self.file.with_suffix(f".{os.getpid()}.tmp")
        lines = 1
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="ascii") as stream:
                stream.write(json.dumps({"format": _FORMAT}) + "\n")
                for line in self._written(self.gone | self.files):
                    lines += 1
                    stream.write(line + "\n")
                stream.write(json.dumps({"others": list(self.others)}) + "\n")
            temporary.replace(self.file)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            self._complain(error)
            return
        self._lines = max(0, lines - len(self.files) // _PER_LINE)
        self._kept_others = len(self.others)
        self._changed.clear()

    def _written(self, files: dict[str, Remembered]) -> Iterator[str]:
        items = iter(files.items())
        while part := dict(islice(items, _PER_LINE)):
            yield json.dumps({"files": {path: [*one.mark, *one[1:]] for path, one in part.items()}})
        yield json.dumps({"ready": self.ready})

    def _load(self, file: Path) -> None:
        try:
            with file.open(encoding="ascii") as stream:
                if json.loads(stream.readline())["format"] != _FORMAT:
                    return
                self._lines = 0
                for line in stream:
                    self._lay(line)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("forgot what was published", extra={"file": str(file), "error": str(error)})
        self._kept_others = len(self.others)

    def _lay(self, line: str) -> None:
        if not line.strip():
            return
        self._lines += 1
        with suppress(ValueError, TypeError, AttributeError):
            kept: dict[str, Any] = json.loads(line)
            self.others.update(kept.get("others", ()))
            for path, one in kept.get("files", {}).items():
                self.files[path] = Remembered(Mark(*one[:3]), *one[3:])
            if kept.get("ready"):
                self.ready = Mark(*kept["ready"])

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            logger.warning("cannot keep what was published", extra={"file": str(self.file), "error": str(error)})
