"""symstore.exe's structure `<name>/<id>/<name>`: how homes are spelled, and what Windows debuggers ask for."""

from collections.abc import Sequence

from symsrv.layouts.grammar import WHOLE_FILES, file_name, plain_ask
from symsrv.model.ask import Ask
from symsrv.model.ids import DEBUG, PE, SymbolId, printed

_GUID_DIGITS = 32
_AGES = range(10, 0x10000)  # ages count links; what is larger is a portable PDB's mark or stamp


class Symstore:
    """One tier; names as given, GUID and stamp in upper case, age and size in lower; `foo.pd_` is `foo.pdb` packed.

    The rule knows no exception for portable PDBs: `ffffffff` behind a GUID in upper case is what symsrv.dll has been
    seen to ask for and what symbolicator asks a bucket for, where case counts.
    """

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


def _decimal_age(symbol_id: SymbolId) -> tuple[str, ...]:
    # lldb's symstore locator prints the age in decimal, which shows from ten on. test_symstore.py::test_decimal_age
    age = symbol_id.value[_GUID_DIGITS:]
    if symbol_id.kind != DEBUG or not age or int(age, 16) not in _AGES:
        return ()
    return (f"{symbol_id.value[:_GUID_DIGITS].upper()}{int(age, 16)}",)
