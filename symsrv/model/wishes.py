"""Wishes: what a loaded module makes people ask for, and which asks are nobody's wish."""

from datetime import datetime

from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import BadName
from symsrv.model.ids import BUILD, DEBUG, MSFZ, UUID, WASM, SymbolId
from symsrv.model.modules import Module
from symsrv.model.names import base_name, checked_name
from symsrv.model.wants import Wish

TEXT_LIMIT = 1024  # characters of a path or a version that are kept: a dump may say anything
PROOF = (BUILD, UUID, WASM)  # ids that need no name beside them
_GUID_DIGITS = 32


def module_ask(module: Module, wants: Wants) -> Ask | None:
    """The ask for a module's program (CODE) or its debug file (DEBUG); None if it tells no id of it.

    A name that can be none in a store is left away: then only ids that need no name are of use.
    """
    ids = module.code_ids if wants is Wants.CODE else module.debug_ids
    if not ids:
        return None
    debug_name = base_name(module.debug_file) if module.debug_file else ""
    name = module.name if wants is Wants.CODE else debug_name or module.name
    try:
        return Ask(wants, ids, checked_name(name))
    except BadName:
        return Ask(wants, ids)


def module_wishes(module: Module, *, who: str, count: int = 1, seen: datetime | None = None) -> tuple[Wish, ...]:
    """The wishes for a module's program and its debug file; empty if nobody could ask for either."""
    asks = (module_ask(module, wants) for wants in (Wants.CODE, Wants.DEBUG))
    return tuple(
        Wish(one, who, count, path=_cut(module.path), version=_cut(module.version), seen=seen)
        for one in asks
        if one is not None and is_wish(one)
    )


def is_wish(ask: Ask) -> bool:
    """Whether anybody can be wanting this: a client that probes asks for an id of zeros, or for an id without a name.

    Crashpad and Breakpad write zeros for a module that has no id, and clients ask by them all the same.
    """
    if ask.name is None and not any(one.kind in PROOF for one in ask.ids):
        return False
    return bool(ask.ids) and not any(map(_is_void, ask.ids))


def _is_void(symbol_id: SymbolId) -> bool:
    digits = symbol_id.value[:_GUID_DIGITS] if symbol_id.kind in (DEBUG, MSFZ) else symbol_id.value
    return not digits.strip("0")


def _cut(text: str | None) -> str | None:
    return text[:TEXT_LIMIT] if text else None
