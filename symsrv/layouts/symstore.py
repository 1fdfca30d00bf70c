"""symstore.exe's structure `<name>/<id>/<name>`: how homes are spelled, and what Windows debuggers ask for."""

from collections.abc import Sequence

from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BadName
from symsrv.model.ids import DEBUG, PE, SymbolId, printed, readings
from symsrv.model.names import checked_name, fold

PORTABLE_AGE = "ffffffff"  # stands where portable PDBs have no age
_GUID_DIGITS = 32
WHOLE_FILES = (Wants.CODE, Wants.DEBUG, Wants.EITHER)


class Symstore:
    """One tier; names as given, GUID and stamp in upper case, age and size in lower; `foo.pd_` is `foo.pdb` packed."""

    name = "symstore"

    def parse(self, path: str) -> Ask | None:
        """Reads `<name>/<hexadecimal id>/<name>`, whichever kind of id that is."""
        if path.count("/") != 2:
            return None
        name, text, file = path.split("/")
        return plain_ask(name, text, file)

    def paths(self, ask: Ask) -> Sequence[str]:
        """Paths for PE and PDB ids; an age of two digits also as lldb prints it."""
        if ask.name is None or ask.wants not in WHOLE_FILES:
            return ()
        file = file_name(ask.name, packed=ask.packed)
        if file is None:
            return ()
        texts = [text for one in ask.ids if one.kind in (PE, DEBUG) for text in (printed(one), *_decimal_age(one))]
        return tuple(f"{ask.name}/{text}/{file}" for text in dict.fromkeys(texts))


def plain_ask(name: str, text: str, file: str) -> Ask | None:
    """The ask that `<name>/<text>/<file>` means if `text` is nothing but an id: either kind of file, by that name."""
    ids = readings(text)
    if not ids:
        return None
    checked = asked_name(name, file)
    if checked is None:
        return None
    return Ask(Wants.EITHER, ids, checked[0], packed=checked[1])


def asked_name(name: str, file: str) -> tuple[str, bool] | None:
    """The name that a path's first and last segment agree on, and whether the last asks for its packed twin."""
    packed = False
    try:
        checked = checked_name(name)
        if file != name:
            folded, file_folded = fold(checked), fold(checked_name(file))
            packed = file_folded != folded
            if packed and file_folded != f"{folded[:-1]}_":
                return None
    except BadName:
        return None
    return checked, packed


def file_name(name: str, *, packed: bool) -> str | None:
    """The last segment: the name, or `foo.pd_` for the packed twin of `foo.pdb`; None for `foo.pd_`, which has none."""
    if not packed:
        return name
    return None if name.endswith("_") else f"{name[:-1]}_"


def _decimal_age(symbol_id: SymbolId) -> tuple[str, ...]:
    # lldb's symstore locator prints the age in decimal, which shows from ten on. test_symstore.py::test_decimal_age
    age = symbol_id.value[_GUID_DIGITS:]
    if symbol_id.kind != DEBUG or not age or age == PORTABLE_AGE or int(age, 16) < 10:
        return ()
    return (f"{symbol_id.value[:_GUID_DIGITS].upper()}{int(age, 16)}",)
