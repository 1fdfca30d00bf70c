"""A store, a state and a puller over upstreams that a test names."""

import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symsrv.formats import identify_path
from symsrv.layouts import home, parse_any
from symsrv.ledger.state import State, open_state
from symsrv.mirror.roster import Roster
from symsrv.mirror.settings import MirrorOptions, UpstreamOptions
from symsrv.model.ask import Ask
from symsrv.model.wants import Want, Wish
from symsrv.store import SymbolStore, open_store
from tests.ingest.files import pdb, written
from tests.mirror.site import Site

if TYPE_CHECKING:
    from symsrv.mirror.puller import Done, Puller

PATIENCE = 60


def key_of(data: bytes, name: str, folder: Path) -> str:
    """Where a file is kept, and asked for."""
    return home(identify_path(written(folder / name, data), name)[0])


def asked(key: str) -> Ask:
    ask = parse_any(key)
    assert ask is not None, key
    return ask


@dataclass
class Pulling:
    """What a test of the puller has in hand. `mirror` and `upstreams` may be changed before `once` or `started`."""

    folder: Path
    store: SymbolStore
    state: State
    mirror: dict[str, Any] = field(default_factory=dict)
    upstreams: list[UpstreamOptions] = field(default_factory=list)
    done: list["Done"] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def at(cls, folder: Path, *, state_url: str | None = None, store: str | None = None) -> "Pulling":
        opened = open_store(store or str(folder / "store"), create=True, state=folder / "state")
        return cls(folder, opened, open_state(state_url or f"sqlite:///{folder}/state/state.sqlite"))

    def close(self) -> None:
        self._stack.close()
        self.state.close()
        self.store.close()

    def site(self, name: str = "there", **more: Any) -> Site:
        """A server that is one of the upstreams."""
        site = self._stack.enter_context(Site())
        self.connect(name, site.url, **more)
        return site

    def connect(self, name: str, url: str, **more: Any) -> None:
        values = {"packed": False, "pause": 0.01, "layouts": ("symstore",), "idle_timeout": 10} | more
        self.upstreams.append(UpstreamOptions(name=name, url=url, **values))

    def pdb(self, number: int, *, size: int = 0, name: str | None = None) -> tuple[str, bytes]:
        """A PDB and its key; every number has one of its own."""
        name = name or f"app{number}.pdb"
        data = pdb(number) + bytes([number % 251]) * size
        return key_of(data, name, self.folder / "made"), data

    def wish(self, *keys: str, **more: Any) -> list[int]:
        return self.state.wants.file(Wish(asked(key), **more) for key in keys)

    def puller(self, **more: Any) -> "Puller":
        from symsrv.mirror import Surroundings, open_upstream
        from symsrv.mirror.puller import Puller

        around = Surroundings(store=lambda: self.store, state=lambda: self.state)
        roster = Roster(self.state, lambda: self.upstreams, lambda options: open_upstream(options, around))
        return Puller(
            self.store, self.state, roster, options=MirrorOptions(**self.mirror), told=self.done.append, **more
        )

    def once(self, **more: Any) -> "dict[str, Done]":
        """Runs once through the queue; what became of each want, by its name."""
        self.done.clear()
        self.puller(**more).once(threading.Event())
        return {one.want.ask.name or "": one for one in self.done}

    def want(self, number: int) -> Want:
        found = self.state.wants.get(number)
        assert found is not None
        return found

    def here(self, keys: Iterable[str]) -> list[bool]:
        return [(self.folder / "store" / key).is_file() for key in keys]

    def left(self) -> Sequence[Path]:
        """What lies in the store that is on its way."""
        folders = (self.store.arriving, self.folder / "store" / ".symsrv" / "incoming")
        names = ("lock", "turn", "boot")
        return [one for folder in folders for one in folder.rglob("*") if one.is_file() and one.name not in names]
