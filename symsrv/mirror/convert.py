"""Conversion as an upstream: text symbols are wanted, and the debug file that they are made from is in our own store.

So the queue, the lists, the log and the statistics hold for it as for any other. What it makes is checked and published
like what comes from elsewhere. `docs/conversion.md` is for who sets it up.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from symsrv.layouts import parse_any
from symsrv.layouts.breakpad import Breakpad
from symsrv.mirror import material
from symsrv.mirror.base import Absent, Fetched, Refused, Stage, Try, Unavailable, WrongContent, unheard
from symsrv.mirror.converters import ConversionError, Converter, Job, chosen
from symsrv.mirror.material import Material
from symsrv.mirror.programs import Bounds
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import ArchiveError, Missing, StoreError
from symsrv.model.names import fold
from symsrv.model.wants import WantState, Wish

if TYPE_CHECKING:
    from symsrv.ledger.state import State
    from symsrv.store import SymbolStore

MAKES = "sym"
WHO = "convert"
"""Who wishes for debug files that something is to be made from, and for text symbols of those that arrive."""

OUTPUT_BYTES = 16 << 30
"""What may be made of one file, if the options set no limit."""

PROGRAM_SECONDS = 60.0
"""How long a PDB waits for its program while that is just being fetched."""

_SCRATCH = "converting-"
_LOOK_SECONDS = 0.5
_CLAIMED_LIMIT = 50
_ENDINGS = (".pdb", ".exe", ".dll", ".sys")

Heard = Callable[[], object]


class Convert:
    """Our own store, by a converter that makes `.sym` files; safe to share between threads."""

    def __init__(self, options: UpstreamOptions, store: "SymbolStore", state: "State | None" = None) -> None:
        self.options = options
        self._store = store
        self._state = state

    def tries(self, ask: Ask) -> Sequence[Try]:
        """One for each spelling of the id, if it is text symbols that are wanted."""
        found: dict[str, str] = {}
        for path in Breakpad().paths(ask):
            found.setdefault(path.rpartition("/")[0], path)
        return [Try(path, f"{self.options.name}:{path}") for path in found.values()]

    def fetch(self, one: Try, into: Path, *, stage: Stage = unheard) -> Fetched:
        """Converts. Raises Absent while the debug file is not here, which is wished for then, or Refused."""
        heard = partial(stage, "converting", 0)
        heard()
        for left in into.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=into))
        ask = parse_any(one.path)
        try:
            converter, tool = chosen(MAKES, self.options.url)  # first, so that a test of the connection finds it
            if ask is None or ask.wants is not Wants.SYM:
                raise Absent("nothing-to-convert", f"{one.path} is nothing that is made by converting")
            found = self._found(ask, converter, heard=heard)
            made = converter.convert(tool, self._job(found, scratch, heard=heard))
            whole = into / "made.sym"
            made.replace(whole)
        except ConversionError as error:
            if error.reason != "nothing-to-convert":
                raise Refused(error.reason, str(error)) from error
            self._wish(ask)
            raise Absent(error.reason, str(error)) from error
        except (Missing, ArchiveError) as error:
            raise WrongContent(error.reason, f"what it would be made from cannot be read: {error}") from error
        except StoreError as error:
            raise Unavailable(error.reason, str(error)) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        notes = ["made without its program, which has the unwind data"] if found.lacks_unwind_data else []
        return Fetched(whole, 0, address=f"{one.address} by {tool}", tool=str(tool), notes=notes)

    def close(self) -> None:
        """Nothing is kept open; what runs is ended by who waits for it."""

    def _found(self, ask: Ask, converter: Converter, *, heard: Heard) -> Material:
        found = material.find(self._store, ask, converter.takes)
        if found.lacks_unwind_data and self._program_comes(found.name, heard=heard):
            found = material.find(self._store, ask, converter.takes)
        return found

    def _job(self, found: Material, scratch: Path, *, heard: Heard) -> Job:
        bounds = Bounds(
            idle_seconds=self.options.idle_timeout,
            cpu_seconds=self.options.cpu_limit,
            memory_bytes=self.options.memory_limit,
            output_bytes=self.options.size_limit or OUTPUT_BYTES,
        )
        return Job(
            debug=self._store.plain(found.debug),
            identity=found.identity,
            name=found.name,
            folder=scratch,
            bounds=bounds,
            program=None if found.program is None else self._store.plain(found.program),
            program_name=found.program_name,
            heard=heard,
        )

    def _program_comes(self, name: str, *, heard: Heard) -> bool:
        """Waits while somebody fetches what is called like a PDB's program; whether there was something to wait for.

        Only by its name: a PDB does not tell the id of its program.
        """
        if self._state is None:
            return False
        stem = _stem(name)
        deadline = time.monotonic() + PROGRAM_SECONDS
        waited = False
        while time.monotonic() < deadline:
            claimed = self._state.wants.list(states=(WantState.CLAIMED,), text=stem, limit=_CLAIMED_LIMIT)
            if not any(one.ask.wants is Wants.CODE and _stem(one.ask.name or "") == stem for one in claimed):
                return waited
            waited = True
            heard()
            time.sleep(_LOOK_SECONDS)
        return waited

    def _wish(self, ask: Ask | None) -> None:
        """Wishes for the debug file; when it comes, these text symbols are tried again at once (`converting.py`)."""
        if ask is not None and self._state is not None and (wanted := material.partner(self._store, ask)) is not None:
            self._state.wants.file([Wish(wanted, who=WHO)])


def _stem(name: str) -> str:
    stem = fold(name)
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending)
    return stem
