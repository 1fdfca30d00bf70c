"""Compile directories of line tables that do not have them, out of `.debug_info`. No format itself."""

from symsrv.formats.base import Reader
from symsrv.formats.sources.dwarf_cursor import Cursor, Forms, Unit
from symsrv.model.errors import NotIdentified

DECLARATIONS_LIMIT = 1 << 18
"""Attributes of abbreviations that are read, over all units."""
FOLDERS_LIMIT_BYTES = 4 << 20

_WINDOW_BYTES = 512  # of a unit only the first entry is looked at
_STMT_LIST, _COMP_DIR = 0x10, 0x1B
_TYPE_UNITS, _SKELETON_UNITS = (2, 6), (4, 5)

_Declaration = tuple[tuple[int, int], ...]


def compile_folders(info: Reader, abbreviations: Reader, forms: Forms, *, little: bool) -> dict[int, bytes]:
    """The compile directory of each line table, by the table's offset in `.debug_line`.

    DWARF 2 to 4 tables have file names relative to DW_AT_comp_dir of the unit whose DW_AT_stmt_list points to them;
    both are attributes of the unit's first entry. A unit that makes no sense is passed over.
    """
    cursor = Cursor(info, little=little, window_bytes=_WINDOW_BYTES)
    declarations = _Declarations(Cursor(abbreviations, little=little))
    found: dict[int, bytes] = {}
    same: dict[bytes, bytes] = {}
    left = FOLDERS_LIMIT_BYTES
    for unit in cursor.units():
        try:
            table, folder = _first_entry(cursor, unit, declarations, forms)
        except NotIdentified:
            continue
        if table is None or not folder:
            continue
        if folder not in same:
            left -= len(folder)
            if left < 0:
                break
        found.setdefault(table, same.setdefault(folder, folder))
    return found


class _Declarations:
    """Attributes and forms of the entries, as `.debug_abbrev` lists them."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._known: dict[tuple[int, int], _Declaration] = {}
        self._left = DECLARATIONS_LIMIT

    def get(self, at: int, code: int) -> _Declaration:
        """The declaration of one code in the table at an offset."""
        found = self._known.get((at, code))
        if found is None:
            found = self._known[at, code] = self._read(at, code)
        return found

    def _read(self, at: int, wanted: int) -> _Declaration:
        cursor = self._cursor
        cursor.move(at, cursor.size)
        while code := cursor.leb():
            cursor.leb()  # the tag
            cursor.skip(1)  # whether it has children
            found = []
            while True:
                self._left -= 1
                if self._left < 0:
                    raise NotIdentified("too-complex", "more abbreviations of debug information than symsrv reads")
                attribute, form = cursor.leb(), cursor.leb()
                if form == 0x21:
                    cursor.leb()  # DW_FORM_implicit_const: the value
                if not attribute and not form:
                    break
                found.append((attribute, form))
            if code == wanted:
                return tuple(found)
        raise NotIdentified("malformed", "an entry of debug information without its abbreviation")


def _first_entry(cursor: Cursor, unit: Unit, declarations: _Declarations, forms: Forms) -> tuple[int | None, bytes]:
    """DW_AT_stmt_list and DW_AT_comp_dir of a unit (DWARF 5, 7.5.1: the order of the header changed with version 5)."""
    version, wide = cursor.number(2), unit.offset_bytes
    if version >= 5:
        kind, address_bytes = cursor.number(1), cursor.number(1)
        abbreviations = cursor.number(wide)
        if kind in _SKELETON_UNITS:
            cursor.skip(8)
        elif kind in _TYPE_UNITS:
            cursor.skip(8 + wide)
    else:
        abbreviations, address_bytes = cursor.number(wide), cursor.number(1)
    table: int | None = None
    folder = b""
    for attribute, form in declarations.get(abbreviations, cursor.leb()):
        # DW_FORM_ref_addr had the width of an address in version 2.
        width = address_bytes if version == 2 and form == 0x10 else wide
        value = forms.value(cursor, form, offset_bytes=width, address_bytes=address_bytes)
        if attribute == _STMT_LIST and isinstance(value, int):
            table = value
        elif attribute == _COMP_DIR and isinstance(value, bytes):
            folder = value
    return table, folder
