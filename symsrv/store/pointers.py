"""File pointers: the `file.ptr` that symstore.exe leaves with `/p` instead of a file, and whether it may be followed.

A pointer is text from outside. It leads nowhere unless the administrator named the folders below which it may lead.
"""

import os
import stat as modes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from symsrv.backends.base import Backend
from symsrv.model.errors import Missing
from symsrv.store.lines import text_of

POINTER_FILE = "file.ptr"
_PATH, _MESSAGE = "PATH:", "MSG:"
_LIMIT_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a `file.ptr` says: the path of a file, or a message to whoever asks; both empty if it says nothing."""

    path: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Pointed:
    """Where a pointer leads. Without a target, `reason` says why not, and `message` what the pointer tells instead.

    Reasons: `pointer-message`, `pointer-empty`, `pointer-not-allowed` (it leads to no folder that may be led to),
    `pointer-gone` (nothing is there, or no file), `missing` (there is no pointer).
    """

    target: Path | None = None
    reason: str = ""
    message: str = ""


def parse_pointer(data: bytes) -> Pointer:
    """Reads a `file.ptr` in any form seen: `PATH:` and a path, a bare path, or `MSG:` and a message."""
    text = text_of(data)
    words = "\n".join(text.read(line) for line in text.lines).strip(" \t\r\n\0")
    if words[: len(_MESSAGE)].upper() == _MESSAGE:
        return Pointer(message=words[len(_MESSAGE) :].strip())
    if words[: len(_PATH)].upper() == _PATH:
        words = words[len(_PATH) :]
    return Pointer(path=words.split("\n")[0].strip(' \t\r"'))


def pointer_text(path: str, before: bytes) -> bytes:
    """A `file.ptr` that leads to a path, in the form of the one before it; no line break, no mark."""
    prefix = _PATH if before[: len(_PATH)].upper() == _PATH.encode() else ""
    return f"{prefix}{path}".encode("utf-8", "replace")


def follow(backend: Backend, home: str, roots: Sequence[Path]) -> Pointed:
    """Follows the pointer at a home to a file below one of the allowed folders, links resolved; never anywhere else.

    A relative path counts from the pointer's own folder. Where only the compressed file is there, that is meant.
    """
    try:
        found = backend.stat(home)
        pointer = parse_pointer(backend.read(home)) if found and found.size <= _LIMIT_BYTES else None
    except Missing:
        found = pointer = None
    if pointer is None:
        return Pointed(reason="pointer-empty" if found else "missing")
    if pointer.message:
        return Pointed(reason="pointer-message", message=pointer.message)
    if not pointer.path:
        return Pointed(reason="pointer-empty")
    folder = backend.local(home.rpartition("/")[0])
    path = _local_path(pointer.path, folder)
    if path is None or not roots:
        return Pointed(reason="pointer-not-allowed")
    return _allowed(path, roots)


def _allowed(path: str, roots: Sequence[Path]) -> Pointed:
    real_roots = [os.path.realpath(root) for root in roots]
    refused = False
    for candidate in (path, f"{path[:-1]}_"):
        try:
            real = os.path.realpath(candidate)
            if not _below(real, real_roots):
                refused = True
            elif modes.S_ISREG(os.lstat(real).st_mode):
                return Pointed(Path(real))
        except (OSError, ValueError):
            continue
    return Pointed(reason="pointer-not-allowed" if refused else "pointer-gone")


def _below(path: str, roots: Iterable[str]) -> bool:
    folded = os.path.normcase(path)
    return any(folded.startswith(os.path.join(os.path.normcase(root), "")) for root in roots)  # noqa: PTH118


def _local_path(text: str, folder: Path | None) -> str | None:
    """The path in this system's terms; None for one of another system, or where there is nothing to count from."""
    if os.name != "nt":
        if text.startswith("\\\\") or text[1:2] == ":":
            return None
        text = text.replace("\\", "/")
    if os.path.isabs(text):  # noqa: PTH117
        return text
    return None if folder is None else os.path.join(folder, text)  # noqa: PTH118
