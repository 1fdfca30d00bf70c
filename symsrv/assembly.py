"""The composition root: builds rooms from the configuration, each when it is first needed. No logic."""

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from symsrv.config import Config
from symsrv.model.errors import UsageError
from symsrv.store import SymbolStore, open_store

if TYPE_CHECKING:
    from symsrv.ledger.state import State
    from symsrv.mirror.refusals import Refusals

_SQLITE = "sqlite:///"


class Assembly:
    """The rooms of one process; `close` lets go of them in reverse order."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._stack = ExitStack()

    @cached_property
    def store(self) -> SymbolStore:
        """The configured store, which must exist."""
        return self._opened(create=False)

    @cached_property
    def new_store(self) -> SymbolStore:
        """The configured store, made if there is none yet."""
        return self._opened(create=True)

    @cached_property
    def new_two_tier_store(self) -> SymbolStore:
        """The same, and one that is made now gets folders of the first two letters of names."""
        return self._opened(create=True, two_tier=True)

    @cached_property
    def state(self) -> "State":
        """What is wanted, listed and counted besides the store; made if there is none yet."""
        from symsrv.ledger.state import open_state  # SQLAlchemy takes longer to load than most verbs to run

        url, store_id = self._state_place(keep=True)
        state = open_state(url)
        self._stack.callback(state.close)
        if store_id is not None and not state.belongs_to(store_id):
            mend = "name another database, or another schema of it (?options=-csearch_path%3DNAME)"
            raise UsageError(f"the state at {state.url} is that of another store; {mend}")
        return state

    @property
    def state_if_made(self) -> "State | None":
        """The same, if there is one already: nobody makes one by publishing, or to look at it."""
        url, _ = self._state_place(keep=False)
        made = "state" in self.__dict__ or not url.startswith(_SQLITE) or Path(url.removeprefix(_SQLITE)).is_file()
        return self.state if made else None

    def _state_place(self, *, keep: bool) -> tuple[str, str | None]:
        """The address of the state, and the store that it has to be that of; `keep` lets that not change any more."""
        url, store_id = self.config.database, None
        if url is None or self.config.store is not None:
            store: SymbolStore = self.__dict__.get("new_store") or self.store
            store_id = store.keep_id() if keep else store.id
        return url or f"{_SQLITE}{self.config.state_folder() / f'state-{store_id}.sqlite'}", store_id

    @cached_property
    def refusals(self) -> "Refusals":
        """Which upstreams are never asked for a name."""
        from symsrv.mirror.refusals import Refusals
        from symsrv.mirror.registry import Registry

        return Refusals(self.state, Registry(self.config.upstreams, self.state.upstreams).usable)

    def _opened(self, *, create: bool, two_tier: bool = False) -> SymbolStore:
        store = open_store(
            self.config.required_store(),
            create=create,
            state=self.config.state_folder(),
            index_url=self.config.index,
            lock_seconds=self.config.lock_timeout,
            semaphore=self.config.semaphore,
            two_tier=two_tier,
            pointer_roots=self.config.pointer_roots,
        )
        self._stack.callback(store.close)
        return store

    def close(self) -> None:
        """Closes what was built."""
        self._stack.close()
