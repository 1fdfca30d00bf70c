"""What a watcher published already, kept over a restart. Losing it costs a second look at every file, no more."""

import hashlib
import json
import logging
import os
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from symsrv.ingest.results import FileResult, FileStatus

logger = logging.getLogger(__name__)

_FORMAT = 1
_SPARE = 1000


@dataclass(frozen=True, slots=True)
class Mark:
    """By what a file's content is known to be unchanged without reading it."""

    size: int
    modified_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """What became of a file with this mark; `key` and `sha256` if it got into the store."""

    mark: Mark
    status: str
    key: str | None = None
    sha256: str | None = None


class Memory:
    """What became of the files of one folder in one store; in a file, if there is one to keep it in."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self._files: dict[str, Remembered] = {}
        self.ready: Mark | None = None
        self._complained = False
        if file is not None:
            self._load(file)

    @classmethod
    def of(cls, folder: str, *, store: str, state: Path | None) -> "Memory":
        """The memory of a folder for a store, in the state folder."""
        if state is None:
            return cls(None)
        which = hashlib.sha256(f"{store}\n{os.path.realpath(folder)}".encode("utf-8", "surrogateescape"))
        return cls(state / f"watch-{which.hexdigest()[:16]}.json")

    def get(self, path: str) -> Remembered | None:
        """What is remembered of a path, whatever its state was."""
        return self._files.get(path)

    def knows(self, path: str, mark: Mark) -> bool:
        """Whether a file of this mark has been dealt with."""
        known = self._files.get(path)
        return known is not None and known.mark == mark

    def note(self, path: str, mark: Mark, result: FileResult) -> None:
        """Remembers what became of a file; a failure keeps what the store has from before."""
        before = self._files.get(path)
        key, sha256 = result.key, result.sha256
        if result.status not in (FileStatus.STORED, FileStatus.PRESENT):
            key, sha256 = (before.key, before.sha256) if before else (None, None)
        self._files[path] = Remembered(mark, result.status.value, key, sha256)

    def save(self, *, seen: Container[str], count: int) -> None:
        """Writes everything down; drops files that are gone once there are more of them than of the others."""
        if len(self._files) > 2 * count + _SPARE:
            self._files = {path: known for path, known in self._files.items() if path in seen}
        if self.file is None:
            return
        files = {
            path: [known.mark.size, known.mark.modified_ns, known.mark.inode, known.status, known.key, known.sha256]
            for path, known in self._files.items()
        }
        ready = [self.ready.size, self.ready.modified_ns, self.ready.inode] if self.ready else None
        temporary = self.file.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"format": _FORMAT, "ready": ready, "files": files}), encoding="ascii")
            temporary.replace(self.file)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            if not self._complained:
                self._complained = True
                logger.warning("cannot keep what was published", extra={"file": str(self.file), "error": str(error)})

    def _load(self, file: Path) -> None:
        try:
            kept = json.loads(file.read_text(encoding="ascii"))
            if kept["format"] == _FORMAT:
                self.ready = Mark(*kept["ready"]) if kept["ready"] else None
                self._files = {
                    path: Remembered(Mark(*known[:3]), *known[3:])
                    for path, known in kept["files"].items()
                    if os.path.lexists(path)
                }
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("forgot what was published", extra={"file": str(file), "error": str(error)})
