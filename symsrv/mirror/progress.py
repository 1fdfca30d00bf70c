"""Progress: how far the download of a file has come, written down so that another process can go on from there.

Beside `<key>.part` lies `<key>.part.json`, which says how far the bytes reach. It is written after them, once a second
and when a download breaks off; so it survives the end of a process at any moment. After a power cut nobody knows which
pages of a file were written: what an earlier run of the system left is begun anew.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from symsrv.mirror.spans import Span

_FORM = 1
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SAVE_SECONDS = 1.0
_KEY_DIGITS = 32


@dataclass(slots=True)
class Progress:
    """How far a file has come: which spans of its `total` bytes (None: not known) are here; `whole`, all of them.

    `validator` is what a later part is asked with (`verdicts.validator`); without one nothing is gone on from.
    """

    total: int | None = None
    validator: str | None = None
    encoding: str | None = None
    name: str | None = None
    whole: bool = False
    spans: list[Span] = field(default_factory=list)

    @property
    def at(self) -> int:
        """How many bytes are here from the beginning on; who reads in one piece sets it."""
        return self.spans[0].at if self.spans else 0

    @at.setter
    def at(self, count: int) -> None:
        self.spans = [Span(0, count, self.total)]


class Part:
    """The file of one Try in the folder of its fetch. One thread at a time."""

    def __init__(self, into: Path, identity: Sequence[str]) -> None:
        key = hashlib.sha256(json.dumps(list(identity)).encode()).hexdigest()[:_KEY_DIGITS]
        self.path = into / f"{key}.part"
        self._record = _record_of(self.path)
        self._saved = time.monotonic()
        self._boot = _boot()

    def open(self) -> BinaryIO:
        """The file for writing at any place, made if it is not there. Raises OSError."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        return open(descriptor, "r+b", buffering=0)

    def load(self) -> Progress:
        """How far an earlier fetch came; nothing, if that cannot be trusted."""
        try:
            record = json.loads(self._record.read_bytes())
            spans = [Span(start, at, end, bytes.fromhex(lead)) for start, at, end, lead in record["spans"]]
            progress = Progress(**record["facts"], spans=spans)
            size = self.path.stat().st_size
            trusted = record["form"] == _FORM and record["boot"] == self._boot is not None
            trusted = trusted and _fits(progress, size)
        except (OSError, ValueError, TypeError, LookupError):
            return Progress()
        return progress if trusted else Progress()

    def tick(self, progress: Callable[[], Progress]) -> None:
        """Writes down how far it is, if that is worth it by now."""
        if time.monotonic() - self._saved >= _SAVE_SECONDS:
            self.save(progress())

    def save(self, progress: Progress) -> None:
        """Writes down how far it is; the bytes are in the file already."""
        spans = [(span.start, span.at, span.end, span.lead.hex()) for span in progress.spans]
        facts = {name: getattr(progress, name) for name in ("total", "validator", "encoding", "name", "whole")}
        text = json.dumps({"form": _FORM, "boot": self._boot, "facts": facts, "spans": spans})
        beside = self._record.with_suffix(".new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(self._record)
        self._saved = time.monotonic()

    def drop(self) -> None:
        """Forgets all of it."""
        forget(self.path)


def forget(path: Path) -> None:
    """Deletes a file that was fetched, whole or in part, with what was written down of it."""
    for one in (_record_of(path), path):
        one.unlink(missing_ok=True)


def _record_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _fits(progress: Progress, size: int) -> bool:
    """Whether a file of this size can have come so far."""
    end: int | None = 0
    for span in progress.spans:
        if span.start != end or not span.start <= span.at <= (span.at if span.end is None else span.end):
            return False
        if span.at > max(size, span.start):
            return False
        end = span.end
    if progress.whole:
        return size == progress.total == end and not any(span.left for span in progress.spans)
    return True


def _boot() -> str | None:
    """What is another word after each start of the system; None where the system has none."""
    try:
        return _BOOT.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
