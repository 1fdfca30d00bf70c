"""Reading DWARF: a cursor over one section, its units, its strings, and the forms of its values. No format itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from symsrv.formats.base import Reader
from symsrv.model.errors import NotIdentified

WINDOW_BYTES = 4096
TEXT_LIMIT_BYTES = 4096
UNITS_LIMIT = 1 << 17
STRINGS_AT_ONCE_BYTES = 1 << 18  # a longer section of strings is read string by string

_WIDE_UNIT = 0xFFFFFFFF
_RESERVED_UNIT = 0xFFFFFFF0

# DWARF 5, 7.5.6, and the forms that GCC added before it. `implicit_const` has its value elsewhere.
_STRING, _STRP, _LINE_STRP, _INDIRECT = 0x08, 0x0E, 0x1F, 0x16
_ADDRESS, _REF_ADDR = 0x01, 0x10
_BY_SIZE = {
    0: (0x19, 0x21),  # flag_present, implicit_const
    1: (0x0B, 0x0C, 0x11, 0x25, 0x29),  # data, flag, ref, strx, addrx
    2: (0x05, 0x12, 0x26, 0x2A),
    3: (0x27, 0x2B),
    4: (0x06, 0x13, 0x1C, 0x28, 0x2C),  # also ref_sup4
    8: (0x07, 0x14, 0x20, 0x24),  # also ref_sig8, ref_sup8
    16: (0x1E,),
}
_FIXED = {form: size for size, forms in _BY_SIZE.items() for form in forms}
_OFFSETS = frozenset({0x17, 0x1D, 0x1F20, 0x1F21})  # sec_offset, strp_sup, GNU_ref_alt, GNU_strp_alt
_LEBS = frozenset({0x0D, 0x0F, 0x15, 0x1A, 0x1B, 0x22, 0x23, 0x1F01, 0x1F02})
_BLOCKS = {0x0A: 1, 0x03: 2, 0x04: 4}
_LEB_BLOCKS = frozenset({0x09, 0x18})


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a section: what follows its length, and the width of its offsets (DWARF32 or DWARF64)."""

    at: int
    start: int
    end: int
    offset_bytes: int


class Cursor:
    """Reads forward through a section; every failure is a NotIdentified."""

    def __init__(self, data: Reader, *, little: bool, window_bytes: int = WINDOW_BYTES) -> None:
        self.size = data.size
        self.at = 0
        self.end = data.size
        self._data = data
        self._little = little
        self._window_bytes = window_bytes
        self._window = b""
        self._window_at = 0

    def move(self, at: int, end: int) -> None:
        """Goes to a place, and reads no further than `end`."""
        self.at, self.end = at, min(end, self.size)

    def skip(self, size: int) -> None:
        """Goes on without reading."""
        if size > self.end - self.at:
            raise NotIdentified("malformed", "debug information that leads outside its unit")
        self.at += size

    def take(self, size: int) -> bytes:
        """The next bytes."""
        at = self.at
        self.skip(size)
        start = at - self._window_at
        if start < 0 or start + size > len(self._window):
            self._window = self._data.up_to(at, max(size, self._window_bytes))
            self._window_at, start = at, 0
        return self._window[start : start + size]

    def number(self, size: int) -> int:
        """The next number of this width."""
        return int.from_bytes(self.take(size), "little" if self._little else "big")

    def leb(self) -> int:
        """The next variable-length number, as if it had no sign (DWARF 5, 7.6)."""
        value = shift = 0
        while shift < 70:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise NotIdentified("malformed", "a number of more than 64 bits in debug information")

    def text(self) -> bytes:
        """The next bytes up to a NUL, which is passed."""
        start = self.at - self._window_at
        found = self._window.find(b"\0", start) if start >= 0 else -1
        if found < 0:
            self._window = self._data.up_to(self.at, min(self.end - self.at, TEXT_LIMIT_BYTES))
            self._window_at, start = self.at, 0
            found = self._window.find(b"\0")
        if found < 0 or self._window_at + found >= self.end:
            raise NotIdentified("malformed", "a string without an end in debug information")
        self.at = self._window_at + found + 1
        return self._window[start:found]

    def units(self) -> Iterator[Unit]:
        """The units of the section, one after the other; ends where a length is none, or cannot be read."""
        at = 0
        for _ in range(UNITS_LIMIT):
            try:
                self.move(at, self.size)
                length, offset_bytes = self.number(4), 4
                if length == _WIDE_UNIT:
                    length, offset_bytes = self.number(8), 8
            except NotIdentified:
                return
            if length >= _RESERVED_UNIT and offset_bytes == 4:
                return
            unit = Unit(at, self.at, min(self.at + length, self.size), offset_bytes)
            at = self.at + length
            self.move(unit.start, unit.end)
            yield unit


class Strings:
    """A section of strings, or the lack of one."""

    def __init__(self, data: Reader | None) -> None:
        self._data = data
        self._whole: bytes | None = None

    def at(self, offset: int) -> bytes:
        """The string at an offset; empty if there is none."""
        if self._data is None or offset >= self._data.size:
            return b""
        if self._data.size <= STRINGS_AT_ONCE_BYTES:
            if self._whole is None:
                self._whole = self._data.at(0, self._data.size)
            end = self._whole.find(b"\0", offset, offset + TEXT_LIMIT_BYTES)
            return self._whole[offset:end] if end >= 0 else b""
        for size in (256, TEXT_LIMIT_BYTES):
            text, end_mark, _ = self._data.up_to(offset, size).partition(b"\0")
            if end_mark:
                return text
        return b""


@dataclass(frozen=True, slots=True)
class Forms:
    """Reads values by their forms."""

    text: Strings
    line_text: Strings

    def value(self, cursor: Cursor, form: int, *, offset_bytes: int, address_bytes: int = 8) -> int | bytes | None:
        """The next value: a number, a string's bytes, or None for what was passed over."""
        if form == _INDIRECT:
            form = cursor.leb()
        if form == _STRING:
            return cursor.text()
        if form == _STRP:
            return self.text.at(cursor.number(offset_bytes))
        if form == _LINE_STRP:
            return self.line_text.at(cursor.number(offset_bytes))
        if form in _OFFSETS:
            return cursor.number(offset_bytes)
        if form in _LEBS:
            return cursor.leb()
        if form in _FIXED:
            return cursor.number(_FIXED[form])
        if form == _ADDRESS:
            cursor.skip(address_bytes)
        elif form == _REF_ADDR:
            cursor.skip(offset_bytes)
        elif form in _BLOCKS:
            cursor.skip(cursor.number(_BLOCKS[form]))
        elif form in _LEB_BLOCKS:
            cursor.skip(cursor.leb())
        else:
            raise NotIdentified("malformed", f"a value of the unknown form {form:#x} in debug information")
        return None
