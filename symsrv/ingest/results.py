"""What became of each file of a publish, in the words that `add --json` promises."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from symsrv.model.errors import SymsrvError
from symsrv.model.identity import Identity


class FileStatus(StrEnum):
    """What became of one file. A file that replaced another is `stored`, with `replaced` set beside it."""

    STORED = "stored"
    PRESENT = "present"
    IGNORED = "ignored"
    CONFLICT = "conflict"
    ERROR = "error"


IGNORED_REASONS = frozenset(
    {"unknown-format", "no-id", "not-symbols", "empty", "not-a-file", "dangling-link", "fastlink"}
)
"""Why a file is passed over rather than failed: it is whole, and simply nothing that belongs in a symbol store.

`fastlink` is one of them: its sentence says how to link instead."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file's result. `path` is as the publisher spelled it, `sentence` says for people what went wrong.

    `note` says what may be missed beside a file that is well. `identities` are for whoever asked; no answer has them.
    """

    path: str
    status: FileStatus
    key: str | None = None
    sha256: str | None = None
    reason: str | None = None
    sentence: str | None = None
    replaced: bool = False
    note: str | None = None
    identities: tuple[Identity, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether this is a failure for the exit code: what is merely ignored is none."""
        return self.status in (FileStatus.CONFLICT, FileStatus.ERROR)

    def __str__(self) -> str:
        word = "replaced" if self.replaced else self.status.value
        if self.sentence is None:
            return f"{word:8} {self.path}  {self.key}"
        # Some sentences name the file already.
        return f"{word:8} {self.sentence if self.path in self.sentence else f'{self.path}: {self.sentence}'}"

    def to_record(self) -> dict[str, Any]:
        """The line of `--json`; `path`, `key` and `status` are always there."""
        record: dict[str, Any] = {"path": self.path, "key": self.key, "status": self.status.value}
        if self.reason:
            record["reason"] = self.reason
        if self.sentence:
            record["error"] = self.sentence
        if self.sha256:
            record["sha256"] = self.sha256
        if self.replaced:
            record["replaced"] = True
        if self.note:
            record["note"] = self.note
        return record


def problem(path: str, error: SymsrvError, *, key: str | None = None) -> FileResult:
    """The result of a file that could not be offered: ignored or failed, by the error's reason word."""
    status = FileStatus.IGNORED if error.reason in IGNORED_REASONS else FileStatus.ERROR
    return FileResult(path, status, key=key, reason=error.reason, sentence=str(error))
