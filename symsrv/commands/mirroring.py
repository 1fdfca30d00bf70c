"""Mirroring: all that `pull --keep-going` and `up` do beside serving, over one configuration that may be read anew."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from symsrv.commands.pulling import Sources, make_puller
from symsrv.model.errors import SymsrvError

if TYPE_CHECKING:
    from symsrv.assembly import Assembly
    from symsrv.config import Config
    from symsrv.mirror.puller import Done
    from symsrv.mirror.settings import TellOptions
    from symsrv.mirror.tellers import Tellers

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


class Mirror:
    """The queue is worked on, upstreams are followed, receivers are told: a thread for each, until an event is set."""

    def __init__(
        self, assembly: "Assembly", upstreams: Sequence[str] = (), *, told: "Callable[[Done], object]"
    ) -> None:
        self._assembly = assembly
        self._store = assembly.new_store  # before the state, which is that of a store
        self._sources = Sources(assembly, assembly.state)
        self._puller = make_puller(assembly, self._sources, upstreams, told=told)
        self._following = self._sources.following(upstreams, wake=self._puller.wake)

    @property
    def runs(self) -> Mapping[str, Callable[[threading.Event], None]]:
        """What is to be run, each in a thread of its own."""
        return {"pull": self._puller.run, "follow": self._following.run, "tell": self._tell}

    def reload(self, config: "Config") -> None:
        """Takes upstreams, receivers and options of another configuration."""
        self._sources.reload(config)
        self._puller.reload(config.mirror)

    def reload_file(self, path: Path | None) -> None:
        """Reads the configuration again; one with a mistake changes nothing."""
        from symsrv.config import load

        try:
            fresh = load(path)
        except (SymsrvError, OSError) as error:
            logger.error("kept the configuration as it was", extra={"error": str(error)})
            return
        self.reload(fresh)

    def _tell(self, stop: threading.Event) -> None:
        """Has receivers told, those that the configuration names at the time."""
        named: tuple[TellOptions, ...] = ()
        tellers: Tellers | None = None
        while not stop.is_set():
            if self._sources.options.tell != named:
                if tellers is not None:
                    tellers.close()
                named = self._sources.options.tell
                tellers = self._tellers(named)
                tellers.start()
            stop.wait(_LOOK_SECONDS)
        if tellers is not None:
            tellers.close()

    def _tellers(self, named: "Sequence[TellOptions]") -> "Tellers":
        from symsrv.mirror.tellers import Tellers
        from symsrv.mirror.telling import Receiver, describing

        state, describe, origin = self._assembly.state, describing(self._store), self._store.id
        return Tellers([Receiver(one, state, describe, origin=origin) for one in named], state)
