"""Lines of text files that other tools wrote: split without changing a byte, read in whatever code they are in."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

_LINE_CHARACTERS = 64 << 10
_FALLBACK = "latin-1"  # knows every byte; a name that was in another code page is then not the one on the disk
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))
_NO_CODE = "utf-8"


@dataclass(frozen=True, slots=True)
class Text:
    """A text file: the mark that it began with, its code, and its lines as they are, each with its end."""

    mark: bytes
    code: str
    lines: Sequence[bytes]

    def read(self, line: bytes) -> str:
        """A line without its end. Line by line, because two tools may have written one file, each in its own code."""
        if self.code != _NO_CODE:
            return line.decode(self.code, "replace").rstrip("\r\n\0")
        try:
            return line.decode("utf-8").rstrip("\r\n\0")
        except UnicodeDecodeError:
            return line.decode(_FALLBACK).rstrip("\r\n\0")

    def bytes_of(self, text: str) -> bytes:
        """Text as this file would have it."""
        return text.encode(self.code, "replace")

    def joined(self, lines: Sequence[bytes]) -> bytes:
        """A file of these lines. If the last line of this one has no end, the last of the other has none."""
        data = b"".join(lines)
        if self.lines and not self.ended:
            for end in ("\r\n", "\n"):
                data = data.removesuffix(self.bytes_of(end))
        return self.mark + data if data else b""

    @property
    def ended(self) -> bool:
        """Whether the last line has an end."""
        return not self.lines or self.lines[-1].endswith(self.bytes_of("\n"))


def text_of(data: bytes) -> Text:
    """A file's text: by its mark; without one, UTF-16 is known by its zeros, and everything else is read as bytes."""
    for mark, code in _MARKS:
        if data.startswith(mark):
            return Text(mark, code, _split(data[len(mark) :], code))
    code = _NO_CODE
    if b"\0" in data[:256]:
        even, odd = data[:256:2].count(0), data[1:256:2].count(0)
        code = "utf-16-le" if odd > len(data[:256]) // 4 else "utf-16-be" if even > len(data[:256]) // 4 else _NO_CODE
    return Text(b"", code, _split(data, code))


def columns(line: str) -> list[str]:
    """The columns of a line; quotes need not be closed, as the Python symstore package leaves them. Never fails."""
    if not line or len(line) >= _LINE_CHARACTERS:
        return []
    try:
        return next(csv.reader([line.replace("\r", " ").replace("\n", " ")]), [])
    except csv.Error:
        return []


def rows(data: bytes) -> list[list[str]]:
    """The columns of each line that has any."""
    text = text_of(data)
    return [row for line in text.lines if (row := columns(text.read(line)))]


def _split(data: bytes, code: str) -> list[bytes]:
    newline = "\n".encode(code)
    lines, start, at = [], 0, data.find(newline)
    while at >= 0:
        if at % len(newline):  # two halves of two characters
            at = data.find(newline, at + 1)
            continue
        lines.append(data[start : at + len(newline)])
        start = at + len(newline)
        at = data.find(newline, start)
    return [*lines, data[start:]] if start < len(data) else lines
