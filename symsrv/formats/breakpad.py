"""Breakpad's text symbols (`.sym`): known by their first line, `MODULE <os> <arch> <id> <name>`.

Rules: Breakpad's symbol_files.md, and what dump_syms writes. Its own parser compares the beginnings of lines, so a
byte order mark makes the first line unreadable for it, and such a file is not recognised here either.
"""

import re

from symsrv.formats.base import Reader
from symsrv.model.errors import BadName, NotIdentified
from symsrv.model.identity import BREAKPAD, DEBUG_INFO, Identity
from symsrv.model.ids import BUILD, PE, UUID, SymbolId, debug_id, printed
from symsrv.model.names import base_name, checked_name

HEAD_LIMIT_BYTES = 4096

_MAGIC = b"MODULE "
_CODE_ID = "INFO CODE_ID "
_HEX = re.compile(r"[0-9A-Fa-f]+")
_SPACES = re.compile(" +")
_WORD = re.compile(r"[\w.-]{1,32}", re.ASCII)
_GUID_DIGITS, _AGE_DIGITS = 32, 8
_STAMP_DIGITS = 8
_BUILD_LIMIT_DIGITS = 128
_APPLE = frozenset({"mac", "macos", "ios", "tvos", "watchos", "visionos"})
_MACHINES = {
    "amd64": "x86_64",
    "x64": "x86_64",
    "i386": "x86",
    "i686": "x86",
    "aarch64": "arm64",
    "riscv": "riscv32",
    "sparcv9": "sparc64",
}


class Breakpad:
    """Text symbols of every system; only the first lines are read."""

    name = BREAKPAD

    def sniff(self, head: bytes) -> bool:
        """The first word of the first line."""
        return head.startswith(_MAGIC)

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The one file. `debug_file` is the module's name: clients ask by it, whatever the file is called."""
        head = data.up_to(0, HEAD_LIMIT_BYTES)
        lines = head.split(b"\n")
        if len(lines) == 1:
            # Without the end of the line nobody knows whether the name is whole.
            reason = "truncated" if len(head) == data.size else "malformed"
            raise NotIdentified(reason, "the first line of its Breakpad symbols has no end")
        system, arch, text, debug_file = _module(lines[0])
        symbol_id = _debug_id(text)
        code_id, also, code_file = _code_id(lines[1:-1], system)
        identity = Identity(
            format=self.name,
            kind=DEBUG_INFO,
            name=name,
            ids=(symbol_id,),
            arch=arch,
            code_id=code_id,
            debug_id=printed(symbol_id),
            debug_file=debug_file,
            symbol_kind="pri",
            notes=(f"made for {system}",),
            also=also,
            code_file=code_file,
        )
        return (identity,)


def _module(raw: bytes) -> tuple[str, str | None, str, str]:
    """System, machine word, id and name of a MODULE line. The name may have spaces and runs to the end of the line."""
    try:
        words = _SPACES.split(raw.decode().rstrip("\r \t"), maxsplit=4)
    except UnicodeDecodeError:
        raise NotIdentified("malformed", "the first line of its Breakpad symbols is not UTF-8") from None
    if len(words) < 5:
        raise NotIdentified("malformed", "the first line of its Breakpad symbols lacks an id or a name")
    _, system, arch, text, path = words
    if not _WORD.fullmatch(system) or not _WORD.fullmatch(arch):
        raise NotIdentified("malformed", "the first line of its Breakpad symbols names no system or no machine")
    try:
        name = checked_name(base_name(path))
    except BadName as error:
        raise NotIdentified("malformed", f"the name of its module: {error}") from error
    word = arch.lower()
    return system, None if word == "unknown" else _MACHINES.get(word, word), text, name


def _debug_id(text: str) -> SymbolId:
    """The debug id: GUID and age; of 9 to 16 digits it is the signature and age of a PDB 2.0, whose form is PE's."""
    if not _HEX.fullmatch(text):
        raise NotIdentified("malformed", "the id of its Breakpad symbols is not hexadecimal")
    if not text.strip("0"):
        raise NotIdentified("no-id", "Breakpad symbols with an id of zeros: they were made from a file without an id")
    if _GUID_DIGITS <= len(text) <= _GUID_DIGITS + _AGE_DIGITS:
        age = text[_GUID_DIGITS:]
        return debug_id(text[:_GUID_DIGITS], int(age, 16) if age else None)
    if _STAMP_DIGITS < len(text) <= _STAMP_DIGITS + _AGE_DIGITS:
        return _stamped(text)
    raise NotIdentified("malformed", f"the id of its Breakpad symbols has {len(text)} digits")


def _stamped(text: str) -> SymbolId:
    return SymbolId(PE, f"{text[:_STAMP_DIGITS].lower()}{int(text[_STAMP_DIGITS:], 16):x}")


def _code_id(lines: list[bytes], system: str) -> tuple[str | None, tuple[SymbolId, ...], str | None]:
    """The id of the program, as `INFO CODE_ID <id> [<code file>]` has it: printed, as a client means it, and its name.

    INFO lines stand before all others.
    """
    for raw in lines:
        if not raw.startswith(b"INFO "):
            break
        line = raw.decode("utf-8", "replace").rstrip("\r")
        if not line.startswith(_CODE_ID):
            continue
        text, _, code_file = line.removeprefix(_CODE_ID).partition(" ")
        if not _HEX.fullmatch(text) or len(text) > _BUILD_LIMIT_DIGITS:
            break
        return *_read_code_id(text, system.lower()), _usable(code_file)
    return None, (), None


def _usable(path: str) -> str | None:
    """The base name of a path, if it can be a file name in a store."""
    try:
        return checked_name(base_name(path))
    except BadName:
        return None


def _read_code_id(text: str, system: str) -> tuple[str, tuple[SymbolId, ...]]:
    """Windows: stamp and size of the image. Apple's systems: the UUID. All others: the build id."""
    if system == "windows":
        if _STAMP_DIGITS < len(text) <= _STAMP_DIGITS + _AGE_DIGITS:
            symbol_id = _stamped(text)
            return printed(symbol_id), (symbol_id,)
        return text.upper(), ()
    digits = text.lower()
    if system in _APPLE:
        return digits, (SymbolId(UUID, digits),) if len(digits) == _GUID_DIGITS else ()
    return digits, (SymbolId(BUILD, digits),) if len(digits) % 2 == 0 else ()
