"""Trees of build ids, `ab/cdef….debug`: gdb's and elfutils' `.build-id`, and symbolicator's native layout."""

from collections.abc import Sequence

from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import BUILD, WASM, readings

_ROOT = ".build-id/"
_DEBUG = ".debug"
_KINDS = (BUILD, WASM)


class Native:
    """ELF and WebAssembly by build id alone: `.debug` is the debug file, without it the program."""

    name = "native"

    def parse(self, path: str) -> Ask | None:
        """Reads `ab/cdef` and `ab/cdef.debug`, with `.build-id/` before it or not."""
        rest = path[len(_ROOT) :] if path[: len(_ROOT)].lower() == _ROOT else path
        first, _, second = rest.partition("/")
        wants = Wants.CODE
        if second[-len(_DEBUG) :].lower() == _DEBUG:
            wants, second = Wants.DEBUG, second[: -len(_DEBUG)]
        if len(first) != 2 or not second:
            return None
        ids = tuple(one for one in readings(first + second) if one.kind in _KINDS)
        return Ask(wants, ids) if ids else None

    def paths(self, ask: Ask) -> Sequence[str]:
        """Both trees' paths for build ids that are longer than the first folder's name; there is no packed form."""
        values = dict.fromkeys(one.value for one in ask.ids if one.kind in _KINDS and len(one.value) > 2)
        kinds = {Wants.CODE: ("",), Wants.DEBUG: (_DEBUG,), Wants.EITHER: ("", _DEBUG)}.get(ask.wants, ())
        if ask.packed:
            return ()
        return tuple(
            f"{root}{value[:2]}/{value[2:]}{kind}" for value in values for kind in kinds for root in ("", _ROOT)
        )
