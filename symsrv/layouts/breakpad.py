"""Breakpad's tree `<debug file>/<id>/<leaf>.sym`, as Socorro, Tecken and minidump processors ask for it."""

from collections.abc import Sequence

from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BadName
from symsrv.model.ids import BUILD, DEBUG, PE, UUID, printed, readings
from symsrv.model.names import checked_name, fold

_SYM = ".sym"
_PDB = ".pdb"
_CODE_SUFFIXES = (".dll", ".exe")
_KINDS = (DEBUG, PE, BUILD, UUID)


class Breakpad:
    """The id is the debug id (GUID and age), or the code id of a client that knows only the code file.

    Clients disagree about the leaf (`FOO.PDB` gives `FOO.sym` or `FOO.PDB.sym`, `a.pdb.pdb` gives `a.pdb.sym` or
    `a.sym`): all of them are read and printed.
    """

    name = "breakpad"

    def parse(self, path: str) -> Ask | None:
        """Reads a path whose leaf goes with its folder; `detail` is the leaf as asked."""
        if path[-4:].lower() != _SYM or path.count("/") != 2:
            return None
        name, text, file = path.split("/")
        ids = readings(text)
        if not ids:
            return None
        try:
            checked, leaf = checked_name(name), checked_name(file)
        except BadName:
            return None
        stem = fold(leaf)[: -len(_SYM)]
        if stem not in map(fold, _stems(checked)):
            return None
        return Ask(Wants.SYM, ids, checked, leaf)

    def paths(self, ask: Ask) -> Sequence[str]:
        """Every leaf under every id; debug ids with a lower-case age, code ids all in upper case."""
        if ask.wants is not Wants.SYM or ask.name is None or ask.packed:
            return ()
        found = []
        for one in ask.ids:
            if one.kind not in _KINDS:
                continue
            text = printed(one) if one.kind == DEBUG else one.value.upper()
            # A PDB 2.0 has an id of the same form as a program. test_breakpad.py::test_pdb_20
            by_debug_file = one.kind == DEBUG or ask.name[-len(_PDB) :].lower() == _PDB
            stems = _debug_stems(ask.name) if by_debug_file else _code_stems(ask.name)
            found += [f"{ask.name}/{text}/{stem}{_SYM}" for stem in stems]
        return tuple(dict.fromkeys(found))


def _stems(name: str) -> list[str]:
    return [*_debug_stems(name), *_code_stems(name)]


def _debug_stems(name: str) -> list[str]:
    # Breakpad, rust-minidump and dump_syms strip any `.pdb` once; symbolicator and samply know lower case only, and
    # samply strips it as often as it comes. test_breakpad.py::test_leaf
    stems = []
    shorter = name
    while len(shorter) > len(_PDB) and shorter[-len(_PDB) :].lower() == _PDB:
        shorter = shorter[: -len(_PDB)]
        stems.append(shorter)
    if not name.endswith(_PDB) or not stems:
        stems.append(name)
    return stems


def _code_stems(name: str) -> list[str]:
    stripped = [name[:-4]] if len(name) > 4 and name[-4:].lower() in _CODE_SUFFIXES else []
    return [*stripped, name]
