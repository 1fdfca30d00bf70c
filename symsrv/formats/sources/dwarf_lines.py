"""Source files that DWARF names: the file tables of `.debug_line`, versions 2 to 5. No format itself.

The layout is that of the DWARF standards, "Line Number Information" (6.2.4). Line programs are passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from symsrv.formats.base import Reader
from symsrv.formats.sources.dwarf_cursor import Cursor, Forms, Strings, Unit
from symsrv.formats.sources.dwarf_units import compile_folders
from symsrv.model.errors import NotIdentified

SOURCES_LIMIT = 100_000
SOURCES_LIMIT_BYTES = 16 << 20
VALUES_LIMIT = 1 << 21
"""Values of file tables that are read, over all units: most have two per file."""
READ_LIMIT_BYTES = 256 << 20
"""Paths that are looked at, over all units, the same ones again and again."""
FOLDERS_LIMIT_BYTES = 4 << 20
"""The directories of one unit."""

_PATH, _DIRECTORY = 1, 2  # DW_LNCT_path, DW_LNCT_directory_index


@dataclass(frozen=True, slots=True)
class Dwarf:
    """The sections that name source files; all but `line` may be missing."""

    line: Reader
    little: bool
    line_text: Reader | None = None
    text: Reader | None = None
    info: Reader | None = None
    abbreviations: Reader | None = None


def source_files(dwarf: Dwarf) -> tuple[str, ...]:
    """Every source file that the line tables name, each once, in their order.

    Paths are absolute where the compile directory is known, and otherwise as the compiler wrote them; `..` stays in
    them, as debuggers ask with it. What the compiler makes up (`<built-in>`) is left out. A unit that makes no sense
    gives what was read of it, so a damaged or huge file gives fewer paths and no error.
    """
    return _Reading(dwarf).run()


class _Reading:
    """One pass over the line tables."""

    def __init__(self, dwarf: Dwarf) -> None:
        self._dwarf = dwarf
        self._cursor = Cursor(dwarf.line, little=dwarf.little)
        self._forms = Forms(Strings(dwarf.text), Strings(dwarf.line_text))
        self._folders: dict[int, bytes] | None = None
        self._found: dict[bytes, None] = {}
        self._bytes_left = SOURCES_LIMIT_BYTES
        self._values_left = VALUES_LIMIT
        self._read_left = READ_LIMIT_BYTES

    def run(self) -> tuple[str, ...]:
        for unit in self._cursor.units():
            try:
                for path in self._paths(unit):
                    self._keep(path)
            except NotIdentified:
                if self._full():
                    break
        return tuple(dict.fromkeys(one.decode("utf-8", "replace") for one in self._found))

    def _full(self) -> bool:
        left = min(self._bytes_left, self._values_left, self._read_left, SOURCES_LIMIT - len(self._found))
        return left <= 0

    def _keep(self, path: bytes) -> None:
        self._read_left -= len(path)
        if path and path not in self._found and not (path.startswith(b"<") and path.endswith(b">")):
            self._found[path] = None
            self._bytes_left -= len(path)
        self._spend(0)

    def _spend(self, values: int) -> None:
        self._values_left -= values
        if self._full():
            raise NotIdentified("too-complex", "more source files than symsrv lists")

    def _paths(self, unit: Unit) -> Iterator[bytes]:
        cursor = self._cursor
        version = cursor.number(2)
        if not 2 <= version <= 5:
            return
        if version >= 5:
            cursor.skip(2)  # sizes of an address and of a segment selector
        header = cursor.number(unit.offset_bytes)
        cursor.move(cursor.at, min(cursor.at + header, unit.end))
        cursor.skip(5 if version >= 4 else 4)
        cursor.skip(max(0, cursor.number(1) - 1))  # the operand counts of the standard opcodes
        yield from self._paths_5(unit) if version >= 5 else self._paths_2(unit)

    def _paths_2(self, unit: Unit) -> Iterator[bytes]:
        """Versions 2 to 4: directories, then files; directory 0 is the compile directory."""
        cursor = self._cursor
        folders = [b""]
        while folder := cursor.text():
            self._spend(1)
            folders.append(folder)
        base: bytes | None = None
        while name := cursor.text():
            self._spend(1)
            index = cursor.leb()
            cursor.leb()  # time
            cursor.leb()  # size
            path = joined(folders[index], name) if index < len(folders) else name
            if not _is_absolute(path):
                if base is None:
                    base = self._folder_of(unit)
                path = joined(base, path)
            yield path

    def _paths_5(self, unit: Unit) -> Iterator[bytes]:
        """Version 5: directory 0 is the compile directory itself, and files are counted from 0."""
        folders: list[bytes] = []
        left = FOLDERS_LIMIT_BYTES
        for path, _ in self._entries_5(unit):
            folders.append(joined(folders[0], path) if folders else path)
            left -= len(folders[-1])
            if left < 0:
                raise NotIdentified("too-complex", "more directories than symsrv reads")
        for path, index in self._entries_5(unit):
            if not path:
                continue
            yield joined(folders[index], path) if index < len(folders) else path

    def _entries_5(self, unit: Unit) -> Iterator[tuple[bytes, int]]:
        """The entries of one table: path, and the index of its directory."""
        cursor = self._cursor
        kinds = [(cursor.leb(), cursor.leb()) for _ in range(cursor.number(1))]
        for _ in range(cursor.leb()):
            self._spend(1 + len(kinds))
            path, index = b"", 0
            for kind, form in kinds:
                value = self._forms.value(cursor, form, offset_bytes=unit.offset_bytes)
                if kind == _PATH and isinstance(value, bytes):
                    path = value
                elif kind == _DIRECTORY and isinstance(value, int):
                    index = value
            yield path, index

    def _folder_of(self, unit: Unit) -> bytes:
        """The compile directory of a table that does not name it; `.debug_info` is read when first asked for."""
        if self._folders is None:
            info, abbreviations = self._dwarf.info, self._dwarf.abbreviations
            self._folders = {}
            if info is not None and abbreviations is not None:
                self._folders = compile_folders(info, abbreviations, self._forms, little=self._dwarf.little)
        return self._folders.get(unit.at, b"")


def joined(folder: bytes, name: bytes) -> bytes:
    """A path in a folder, by the separator that the folder uses; an absolute path stays as it is."""
    if not folder or _is_absolute(name):
        return name
    separator = b"\\" if b"\\" in folder and b"/" not in folder else b"/"
    return folder + name if folder.endswith((b"/", b"\\")) else folder + separator + name


def _is_absolute(path: bytes) -> bool:
    return path.startswith((b"/", b"\\")) or path[1:3] in (b":\\", b":/")
