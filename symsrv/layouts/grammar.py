"""The grammar of a key `<name>/<id>/<file>`, which several dialects spell each in their way."""

from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BadName
from symsrv.model.ids import readings
from symsrv.model.names import checked_name, fold

WHOLE_FILES = (Wants.CODE, Wants.DEBUG, Wants.EITHER)


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
