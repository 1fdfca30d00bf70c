"""Needs: whether a store has what a debugger wants of a loaded module, its program and its debug file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from symsrv.model.ask import Ask, Wants
from symsrv.model.modules import Module
from symsrv.model.names import base_name
from symsrv.model.wishes import PROOF, module_ask
from symsrv.store.store import SymbolStore
from symsrv.store.whereabouts import Sight, Why, missed

_NEAR = (Why.HALF, Why.OTHER_FORM, Why.OTHER_NAME, Why.OTHER_ID)


class State(StrEnum):
    """Whether it is to be had. Tools read these words: add to them, never rename one."""

    HAVE = "have"
    NEAR = "near"
    MISSING = "missing"
    NO_ID = "no-id"


@dataclass(frozen=True, slots=True)
class Need:
    """A module, whether its program and its debug file are here, and what is near to what is not.

    `debug_name` is the debug file's last component. NO_ID is what nobody can ask for, as the module does not tell an
    id; a module that has one of its two ids is judged by that alone.
    """

    module: Module
    debug_name: str | None
    code_state: State
    debug_state: State
    near: tuple[Sight, ...] = ()

    @property
    def state(self) -> State:
        """Of both together: NEAR also when one of them is here and the other is not."""
        states = {self.code_state, self.debug_state} - {State.NO_ID}
        if not states:
            return State.NO_ID
        return states.pop() if len(states) == 1 else State.NEAR

    def to_record(self, *, dumps: int = 1) -> dict[str, Any]:
        """The line of `missing --dump --json`; fields may be added, never renamed."""
        module = self.module
        return {
            "name": module.name,
            "id": module.debug_id or module.code_id,
            "code_file": module.name,
            "code_id": module.code_id,
            "path": module.path,
            "version": module.version,
            "state": self.state.value,
            "debug_file": self.debug_name,
            "debug_id": module.debug_id,
            "code_state": self.code_state.value,
            "debug_state": self.debug_state.value,
            "dumps": dumps,
            "near": [one.to_record() for one in self.near],
        }


def need(store: SymbolStore, module: Module) -> Need:
    """Looks for a module's two files by all of its ids, as far as the index has caught up."""
    debug_name = base_name(module.debug_file) if module.debug_file else None
    code_state, code_near = _judge(store, module_ask(module, Wants.CODE))
    debug_state, debug_near = _judge(store, module_ask(module, Wants.DEBUG))
    near = {one.key: one for one in (*code_near, *debug_near)}
    return Need(module, debug_name, code_state, debug_state, tuple(near.values()))


def _judge(store: SymbolStore, ask: Ask | None) -> tuple[State, Sequence[Sight]]:
    if ask is None:
        return State.NO_ID, ()
    if store.find(ask) or _pointed(store, ask):
        return State.HAVE, ()
    proof = tuple(one for one in ask.ids if one.kind in PROOF)
    # A loader's name (`libc.so.6`) is not always the file's; by these ids debuggers ask without one.
    if proof and store.find(replace(ask, ids=proof, name=None)):
        return State.HAVE, ()
    near = [one for one in missed(store, ask).sights if one.reason in _NEAR]
    return (State.NEAR, near) if near else (State.MISSING, ())


def _pointed(store: SymbolStore, ask: Ask) -> bool:
    """Whether a client would get the file by a pointer that may be followed."""
    lead = store.pointer(ask) if store.pointer_roots else None
    opened = store.open_pointed(lead).opened if lead is not None else None
    if opened is not None:
        opened.close()
    return opened is not None
