"""What runs until it is stopped: the front end, the watcher beside it, and the index it keeps up."""

import errno
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from symsrv.assembly import Assembly
from symsrv.config import Config, host_and_port
from symsrv.ingest.watch import Watcher
from symsrv.model.errors import SymsrvError, UsageError
from symsrv.serve.api import Dumps
from symsrv.serve.asgi import App
from symsrv.serve.demand import Explain, Through, Wanted
from symsrv.serve.front import create_app
from symsrv.serve.runner import serve
from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)

Ready = Callable[[str, int], None]
Ended = Callable[[int | None], None]
Run = Callable[[threading.Event], None]

_JOIN_SECONDS = 0.5  # on Windows no signal is seen while waiting without an end

_NOT_OURS = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}  # what binding to an address may come to


@dataclass(frozen=True, slots=True)
class AppFactory:
    """Builds the app of one worker process, with an assembly of its own."""

    config: Config

    def __call__(self) -> App:
        """The app over this process's own view of the store."""
        return _app(Assembly(self.config))


def serve_store(assembly: Assembly, *, ready: Ready) -> int | None:
    """Serves the configured store until a signal comes; returns its number."""
    config = assembly.config
    host, port = host_and_port(config.listen)
    know_files(assembly.store)
    try:
        if config.serve.workers > 1:
            factory = AppFactory(config)
            return serve(factory, host=host, port=port, workers=config.serve.workers, factory=True, ready=ready)
        return serve(_app(assembly), host=host, port=port, ready=ready)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
        why = f"{error.strerror}; --listen takes another HOST:PORT"
        raise UsageError(f"cannot listen on {config.listen}: {why}") from error


def watch_and_serve(
    assembly: Assembly,
    watcher: Watcher | None,
    *,
    ready: Ready,
    stop: threading.Event | None = None,
    ended: Ended = lambda _number: None,
    beside: Mapping[str, Run] = MappingProxyType({}),
) -> int | None:
    """Serves, and publishes what builds write, until a signal comes; a publish under way is finished.

    `ended` hears of the signal before that is waited for. What is `beside` runs until then, too, each by its name.
    """
    stop = stop or threading.Event()
    runs = dict(beside) if watcher is None else {"watch": watcher.run, **beside}
    threads = [threading.Thread(target=_run, args=(name, run, stop), name=name) for name, run in runs.items()]
    for thread in threads:
        thread.start()
    number: int | None = None
    try:
        number = serve_store(assembly, ready=ready)
        return number
    finally:
        ended(number)
        stop.set()
        for thread in threads:
            while thread.is_alive():
                thread.join(_JOIN_SECONDS)


def know_files(store: SymbolStore) -> None:
    """Gets to know the files of a folder that has no records, beside the serving: build ids are asked without a name.

    Until it is done, such a folder answers by path alone.
    """
    store.catch_up()
    if store.local and not store.known_files():
        threading.Thread(target=_reindex, args=(store,), name="reindex", daemon=True).start()


def _reindex(store: SymbolStore) -> None:
    try:
        files = store.reindex()
    except Exception:
        logger.exception("could not index the folder; it is served by path alone")
    else:
        logger.info("indexed the folder", extra={"files": files})


def _run(name: str, run: Run, stop: threading.Event) -> None:
    try:
        run(stop)
    except Exception:
        logger.exception("stopped, and serving goes on", extra={"what": name})


def _app(assembly: Assembly) -> App:
    options = assembly.config.serve
    return create_app(
        assembly.store,
        io_threads=options.io_threads,
        cpu_threads=options.cpu_threads,
        wanted=_wanted(assembly),
        dumps=Dumps(options.accept_dumps, limit_bytes=options.dump_limit, seconds=options.dump_timeout),
    )


def _wanted(assembly: Assembly) -> Wanted:
    """What is done about misses; where there can be no state, as beside a folder of somebody else's, nothing."""
    config = assembly.config
    try:
        state = assembly.state
    except (SymsrvError, OSError) as error:
        if config.database is not None:
            raise
        logger.warning("there is no missing list", extra={"error": str(error)})
        state = None
    mirror = config.mirror
    return Wanted(
        state,
        record=config.serve.record_misses,
        explain=Explain(config.serve.explain),
        through=Through(mirror.fetch_through_wait, mirror.fetch_through_allow) if mirror.fetch_through else None,
        **({} if state is None else {"refuse": assembly.refusals}),
    )
