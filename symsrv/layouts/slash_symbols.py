"""symbolicator's layout `<program>/<build id>/symbols`, as tools for consoles write it."""

from collections.abc import Sequence

from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BadName
from symsrv.model.ids import BUILD, build_readings
from symsrv.model.names import checked_name, fold

_LEAF = "symbols"


class SlashSymbols:
    """Debug files under the name of their program, each called `symbols`.

    A program that is itself called so has none here: its path would be the key of the program.
    """

    name = "slashsymbols"

    def parse(self, path: str) -> Ask | None:
        """Reads a build id in either case."""
        name, _, rest = path.partition("/")
        text, _, leaf = rest.partition("/")
        if leaf.lower() != _LEAF or fold(name) == _LEAF:
            return None
        ids = build_readings(text)
        try:
            return Ask(Wants.DEBUG, ids, checked_name(name)) if ids else None
        except BadName:
            return None

    def paths(self, ask: Ask) -> Sequence[str]:
        """The build id in lower case and in upper case, as clients ask in turn; there is no packed form."""
        if ask.name is None or fold(ask.name) == _LEAF or ask.packed or ask.wants not in (Wants.DEBUG, Wants.EITHER):
            return ()
        texts = dict.fromkeys(text for one in ask.ids if one.kind == BUILD for text in (one.value, one.value.upper()))
        return tuple(f"{ask.name}/{text}/{_LEAF}" for text in texts)
