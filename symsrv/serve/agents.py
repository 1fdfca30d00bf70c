"""Clients by what they call themselves: the kind alone is kept of who asks, never an address or a version."""

import re

_LIMIT = 1024
_LINE = re.compile(rb"(?:^|\n)user-agent:[ \t]*([^\r\n]*)", re.IGNORECASE)

KINDS: tuple[tuple[bytes, str], ...] = (
    (b"microsoft-symbol-server/6.13", "perfview"),
    (b"microsoft-symbol-server/6.3.0", "dump-syms"),
    (b"microsoft-symbol-server", "windbg"),
    (b"symbolicator", "symbolicator"),
    (b"elfutils", "debuginfod"),
    (b"ghidra", "ghidra"),
    (b"eliot", "eliot"),
    (b"breakpad", "breakpad"),
    (b"symsrv", "symsrv"),
    (b"symbold", "symbold"),
    (b"curl", "curl"),
    (b"wget", "wget"),
    (b"python", "python"),
    (b"go-http-client", "go"),
    (b"mozilla/", "browser"),
)
"""How an agent begins, in lower case, and the word for its kind; the first that fits (clients.md 2)."""


def kind_of(agent: bytes) -> str:
    """The kind of client that a User-Agent names: `unnamed` if it names none, `other` if we do not know it."""
    folded = agent.strip().lower()
    return next((kind for start, kind in KINDS if folded.startswith(start)), "other" if folded else "unnamed")


class Agents:
    """Remembers the kind for the headers of a connection, which clients repeat word by word."""

    def __init__(self, *, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._known: dict[bytes, str] = {}

    def kind(self, lines: bytes) -> str:
        """The kind of client by its header lines as they came."""
        kind = self._known.get(lines)
        if kind is None:
            match = _LINE.search(lines)
            kind = kind_of(match[1] if match else b"")
            if len(lines) <= self._limit:
                if len(self._known) >= self._limit:
                    self._known.clear()
                self._known[lines] = kind
        return kind
