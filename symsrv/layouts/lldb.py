"""lldb's tree of UUIDs, `67E9/247C/814E/392B/A027/DBDE6748FCBF`, as symbolicator's native layout has it, too."""

from collections.abc import Sequence

from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import UUID, uuid_readings

_CODE = ".app"
_LENGTHS = [4, 4, 4, 4, 4, 12]


class Lldb:
    """Mach-O by UUID alone: the file in the dSYM as it is, and with symbolicator's `.app` the program."""

    name = "lldb"

    def parse(self, path: str) -> Ask | None:
        """Reads six folders of digits, the last with `.app` or not."""
        wants = Wants.DEBUG
        if path[-len(_CODE) :].lower() == _CODE:
            wants, path = Wants.CODE, path[: -len(_CODE)]
        segments = path.split("/")
        if [len(segment) for segment in segments] != _LENGTHS:
            return None
        ids = uuid_readings("".join(segments))
        return Ask(wants, ids) if ids else None

    def paths(self, ask: Ask) -> Sequence[str]:
        """One path per UUID and kind of file; there is no packed form."""
        kinds = {Wants.CODE: (_CODE,), Wants.DEBUG: ("",), Wants.EITHER: (_CODE, "")}.get(ask.wants, ())
        if ask.packed:
            return ()
        return tuple(_tree(one.value.upper()) + kind for one in ask.ids if one.kind == UUID for kind in kinds)


def _tree(digits: str) -> str:
    return "/".join([*(digits[place : place + 4] for place in range(0, 20, 4)), digits[20:]])
