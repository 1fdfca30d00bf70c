"""The dialects in which clients ask for symbols, and how to read a path in whichever it is."""

from dataclasses import replace

from symsrv.layouts.base import Layout
from symsrv.layouts.breakpad import Breakpad
from symsrv.layouts.debuginfod import Debuginfod
from symsrv.layouts.ssqp import Ssqp
from symsrv.layouts.symstore import Symstore
from symsrv.layouts.two_tier import TwoTier
from symsrv.model.ask import Ask
from symsrv.model.identity import Identity
from symsrv.model.names import checked_name, fold

LAYOUTS: tuple[Layout, ...] = (
    Symstore(),
    Ssqp(),
    Breakpad(),
    Debuginfod(),
    TwoTier(Symstore(), Ssqp(), Breakpad()),
)

_KEYED: tuple[Layout, ...] = (Symstore(), Ssqp())


def parse_any(path: str) -> Ask | None:
    """The ask that a decoded path without a leading slash means in any dialect; None if in none."""
    for layout in LAYOUTS:
        if ask := layout.parse(path):
            return ask
    return None


def home(identity: Identity) -> str:
    """The one path under which a file is stored: symstore's for PE and PDB ids, SSQP's for build ids.

    Raises BadName if the file's own name must not become part of a path.
    """
    return keys(identity)[0]


def keys(identity: Identity) -> tuple[str, ...]:
    """Every `<name>/<id>/<file>` under which clients ask for a file, its home first; case makes no difference.

    Raises BadName if the file's own name must not become part of a path.
    """
    identity = replace(identity, name=checked_name(identity.name))
    paths = [path for ask in identity.asks() for layout in _KEYED for path in layout.paths(ask)]
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(fold(path), path)
    return tuple(found.values())
