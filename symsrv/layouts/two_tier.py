"""Two-tier layout: the first two characters of the name become a folder of their own (`index2.txt`)."""

from collections.abc import Sequence

from symsrv.layouts.base import Layout
from symsrv.model.ask import Ask
from symsrv.model.names import fold

_SLASHES = (3, 4)  # SSQP has keys of four segments


class TwoTier:
    """Puts the prefix folder before the paths of one-tier layouts, and takes it off again.

    Clients differ: two characters whatever they are (PerfView), one where the second is a dot (symbolicator),
    lower-cased (Ghidra). The folder is only ever compared with the name, so `a.` does no harm.
    """

    name = "two-tier"

    def __init__(self, *inner: Layout) -> None:
        self._inner = inner

    def parse(self, path: str) -> Ask | None:
        """Reads a path whose first segment is one of the spellings of its name's prefix."""
        prefix, _, rest = path[:8].partition("/")
        if not 1 <= len(prefix) <= 4 or not rest or path.count("/") not in _SLASHES:
            return None
        rest = path[len(prefix) + 1 :]
        name = rest.partition("/")[0]
        if fold(prefix) not in map(fold, _prefixes(name)):
            return None
        for layout in self._inner:
            if ask := layout.parse(rest):
                return ask
        return None

    def paths(self, ask: Ask) -> Sequence[str]:
        """The inner layouts' paths, each under every spelling of its prefix."""
        one_tier = dict.fromkeys(path for layout in self._inner for path in layout.paths(ask))
        return tuple(f"{prefix}/{path}" for path in one_tier for prefix in _prefixes(path.partition("/")[0]))


def prefix(name: str) -> str:
    """The folder that a name lies in: its first two characters, or one where Windows would drop the second, a dot."""
    return _prefixes(name)[0]


def _prefixes(name: str) -> list[str]:
    return [name[:1], name[:2]] if name[1:2] == "." else [name[:2]]
