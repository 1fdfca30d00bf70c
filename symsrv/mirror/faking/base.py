"""What the fake upstream is made of: a request, a reply that may go wrong in any way, and quirks between the two."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

Headers = dict[str, str]
"""By names in lower case in a request, as they are sent in a reply."""

HEAD = "HEAD"


@dataclass(frozen=True, slots=True)
class Got:
    """A request. `path` is decoded and without its leading slash; `number` counts those for this path before it."""

    method: str
    target: str
    path: str
    headers: Headers
    number: int = 0

    def at(self, path: str) -> "Got":
        """The same for another path."""
        return replace(self, path=path)

    def without(self, *names: str) -> "Got":
        """The same without some headers."""
        return replace(self, headers={name: value for name, value in self.headers.items() if name not in names})


@dataclass(slots=True)
class Reply:
    """An answer. The body is `data`, or of `file` the bytes from `start` up to `end`.

    How it goes wrong: `pause` seconds pass before it begins; `piece` bytes are sent at a time, `step` seconds apart;
    after `cut` bytes of the body it ends, by `ending`. `length` is told in place of the body's own; -1 tells none.
    """

    status: int = 200
    headers: Headers = field(default_factory=dict)
    data: bytes = b""
    file: Path | None = None
    start: int = 0
    end: int = 0
    pause: float = 0.0
    piece: int = 0
    step: float = 0.0
    cut: int | None = None
    ending: str = "close"
    length: int | None = None
    chunked: bool = False

    @property
    def size(self) -> int:
        """The bytes of the body."""
        return self.end - self.start if self.file is not None else len(self.data)

    def body(self) -> bytes:
        """All of it, in memory."""
        if self.file is None:
            return self.data
        with self.file.open("rb") as file:
            file.seek(self.start)
            return file.read(self.end - self.start)

    def carrying(self, data: bytes) -> "Reply":
        """The same with another body, whatever range it was."""
        return replace(self, data=data, file=None)


CLOSE, RESET, STALL = "close", "reset", "stall"
"""The endings of a reply that is cut: in order, with a reset, or never."""

Next = Callable[[Got], Reply]
"""What would be answered without a quirk; a quirk may ask it for something else, or not at all."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """One way to be odd. `value` is what stands behind `--quirk name=`, and what it is if nothing does."""

    act: Callable[[Got, Next, Any], Reply]
    value: str = ""
    tls: bool = False

    @property
    def help(self) -> str:
        """What it does, in a sentence."""
        return (self.act.__doc__ or "").strip().split("\n")[0]
