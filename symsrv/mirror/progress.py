"""Progress: how far the download of a file has come, written down so that another process can go on from there.

Beside `<key>.part` lies `<key>.json`, which says how far the bytes reach. It is written after them, once a second and
when a download breaks off; so it survives the end of a process at any moment. After a power cut nobody knows which
pages of a file were written: what an earlier run of the system left is begun anew.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

_FORM = 1
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SAVE_SECONDS = 1.0
_KEY_DIGITS = 32


@dataclass(slots=True)
class Progress:
    """How far a file has come. `at` counts from the beginning without a gap; `total` is None while it is not known.

    `validator` is what a later part is asked with (`verdicts.validator`); without one nothing is gone on from.
    `whole`: all of it is here. `spans` are pieces beyond `at`, as (start, at, end), of a fetch in parallel.
    """

    at: int = 0
    total: int | None = None
    validator: str | None = None
    encoding: str | None = None
    name: str | None = None
    whole: bool = False
    spans: list[tuple[int, int, int]] = field(default_factory=list)


class Part:
    """The file of one Try in the folder of its fetch. One thread at a time."""

    def __init__(self, into: Path, identity: Sequence[str]) -> None:
        key = hashlib.sha256(json.dumps(list(identity)).encode()).hexdigest()[:_KEY_DIGITS]
        self.path = into / f"{key}.part"
        self._record = into / f"{key}.json"
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
            told = record["progress"]
            progress = Progress(**{**told, "spans": [(start, at, end) for start, at, end in told["spans"]]})
            size = self.path.stat().st_size
            reach = max([progress.at, *(at for _, at, _ in progress.spans)])
            fits = size == progress.at if progress.whole else size >= reach
            trusted = fits and record["form"] == _FORM and record["boot"] == self._boot is not None
        except (OSError, ValueError, TypeError, LookupError):
            return Progress()
        return progress if trusted else Progress()

    def tick(self, progress: Progress) -> None:
        """Writes down how far it is, if that is worth it by now."""
        if time.monotonic() - self._saved >= _SAVE_SECONDS:
            self.save(progress)

    def save(self, progress: Progress) -> None:
        """Writes down how far it is; the bytes are in the file already."""
        text = json.dumps({"form": _FORM, "boot": self._boot, "progress": asdict(progress)})
        beside = self._record.with_suffix(".new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(self._record)
        self._saved = time.monotonic()

    def drop(self) -> None:
        """Forgets all of it."""
        for path in (self._record, self.path):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()


def _boot() -> str | None:
    """What is another word after each start of the system; None where the system has none."""
    try:
        return _BOOT.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
