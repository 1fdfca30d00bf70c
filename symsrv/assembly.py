"""The composition root: builds rooms from the configuration, each when it is first needed. No logic."""

from contextlib import ExitStack
from functools import cached_property

from symsrv.config import Config
from symsrv.store import SymbolStore, open_store


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

    def _opened(self, *, create: bool) -> SymbolStore:
        store = open_store(
            self.config.required_store(),
            create=create,
            state=self.config.state_folder(),
            index_url=self.config.index,
            lock_seconds=self.config.lock_timeout,
            semaphore=self.config.semaphore,
        )
        self._stack.callback(store.close)
        return store

    def close(self) -> None:
        """Closes what was built."""
        self._stack.close()
