"""The dialects in which clients ask for symbols, and how to read a path in whichever it is."""

from dataclasses import replace

from symsrv.layouts.base import Layout
from symsrv.layouts.breakpad import Breakpad
from symsrv.layouts.debuginfod import Debuginfod
from symsrv.layouts.lldb import Lldb
from symsrv.layouts.native import Native
from symsrv.layouts.slash_symbols import SlashSymbols
from symsrv.layouts.ssqp import Ssqp
from symsrv.layouts.symstore import Symstore
from symsrv.layouts.two_tier import TwoTier
from symsrv.layouts.unified import Unified
from symsrv.model.ask import Ask
from symsrv.model.errors import BadName
from symsrv.model.identity import Identity
from symsrv.model.names import checked_name, fold

LAYOUTS: tuple[Layout, ...] = (
    Symstore(),
    Ssqp(),
    Breakpad(),
    Debuginfod(),
    TwoTier(Symstore(), Ssqp(), Breakpad()),
    Native(),
    Lldb(),
    Unified(),
    SlashSymbols(),
)

_KEYED: tuple[Layout, ...] = (Symstore(), Ssqp(), Breakpad())


def parse_any(path: str) -> Ask | None:
    """The ask that a decoded path without a leading slash means in any dialect; None if in none."""
    for layout in LAYOUTS:
        if ask := layout.parse(path):
            return ask
    return None


def home(identity: Identity) -> str:
    """The one path under which a file is stored.

    As symstore.exe spells it for PE and PDB ids, as Breakpad does for text symbols, and SSQP's key for all others.
    Raises BadName if the file's own name must not become part of a path.
    """
    return keys(identity)[0]


def keys(identity: Identity) -> tuple[str, ...]:
    """Every `<name>/<id>/<file>` under which clients ask for a file, its home first; case makes no difference.

    Raises BadName if the file's own name must not become part of a path.
    """
    checked_name(identity.name)
    found: dict[str, str] = {}
    for ask in identity.asks():
        try:
            named = ask if ask.name is None else replace(ask, name=checked_name(ask.name))
        except BadName:
            if found:
                continue  # the program's name in text symbols: they have a home without it
            raise
        for layout in _KEYED:
            for path in layout.paths(named):
                found.setdefault(fold(path), path)
    if not found:
        raise BadName(identity.name, "its id is in no dialect of any client")
    return tuple(found.values())
