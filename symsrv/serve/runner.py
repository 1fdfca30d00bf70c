"""Runs the app under uvicorn: the settings that symbols need, signals, and the address that was bound."""

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import cast

import uvicorn

from symsrv.serve.asgi import App
from symsrv.serve.front import Front
from symsrv.serve.wire import Wire
from symsrv.serve.workers import supervise

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75  # as nginx; a short one makes clients run into closed connections

logger = logging.getLogger(__name__)

Factory = Callable[[], App]


def serve(
    app: App | Factory,
    *,
    host: str = "127.0.0.1",
    port: int = 8390,
    workers: int = 1,
    factory: bool = False,
    ready: Callable[[str, int], None] | None = None,
    grace_seconds: int | None = None,
) -> int | None:
    """Serves until a signal comes; returns its number.

    `ready` gets the URL and the port that were bound (port 0 takes any that is free), when connections are taken.
    Several workers need a `factory` that can be pickled: each builds its own app. The first signal lets answers under
    way finish (at most `grace_seconds`), the second one stops at once.
    """
    if workers > 1 and not factory:
        raise ValueError("several workers need a factory: each builds its own app")
    sock = _bound(host, port)
    try:
        return _serve(app, sock, workers=workers, factory=factory, ready=ready, grace_seconds=grace_seconds)
    finally:
        sock.close()


def server(app: App | Factory, *, factory: bool = False, grace_seconds: int | None = None) -> "Server":
    """A server to be run in a thread or a test: `run([socket])`, and `should_exit = True` ends it."""
    return Server(_config(app, factory=factory, grace_seconds=grace_seconds))


class Server(uvicorn.Server):
    """uvicorn's server: the second signal of any kind stops it, and none is raised again when all is done."""

    def __init__(
        self, config: uvicorn.Config, announce: Callable[[], None] | None = None, *, supervised: bool = False
    ) -> None:
        super().__init__(config)
        self._supervised = supervised
        self.signal: int | None = None
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts listening, then tells who waits for it."""
        await super().startup(sockets)
        app = self.config.loaded_app
        if isinstance(app, Front):
            app.metrics.connections = lambda: len(self.server_state.connections)
        if self._announce is not None and self.started:
            self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finishes at the first signal, stops at the second."""
        self.signal = self.signal or sig
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listens to signals while serving; afterwards the program goes on, to close what it opened."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [signal.SIGINT, signal.SIGTERM, *filter(None, [getattr(signal, "SIGBREAK", None)])]
        if self._supervised:
            numbers.remove(signal.SIGINT)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _serve(
    app: App | Factory,
    sock: socket.socket,
    *,
    workers: int,
    factory: bool,
    ready: Callable[[str, int], None] | None,
    grace_seconds: int | None,
) -> int | None:
    def announce() -> None:
        if ready is not None:
            ready(url_of(sock), sock.getsockname()[1])

    if workers == 1:
        single = Server(_config(app, factory=factory, grace_seconds=grace_seconds), announce)
        single.run([sock])
        return single.signal
    announce()  # the socket listens already: who connects now is answered by the first worker that is up
    return supervise(_work, (cast("Factory", app), sock, grace_seconds), workers)


def _work(factory: Factory, sock: socket.socket, grace_seconds: int | None) -> None:
    """One worker process. It hears of an interrupt from its supervisor.

    A terminal sends Ctrl-C to both, and the two together would be a second signal, which stops at once.
    test_runner.py::test_ctrl_c_lets_the_answers_of_several_workers_finish
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Server(_config(factory, factory=True, grace_seconds=grace_seconds), supervised=True).run([sock])


def url_of(sock: socket.socket) -> str:
    """The URL under which a bound socket is reached on this machine."""
    host, port = cast("tuple[str, int]", sock.getsockname()[:2])
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if ":" not in host:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            # On Windows SO_REUSEADDR would let another program take the port from us.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.set_inheritable(True)
    except BaseException:
        sock.close()
        raise
    return sock


def _config(app: App | Factory, *, factory: bool, grace_seconds: int | None) -> uvicorn.Config:
    return uvicorn.Config(
        cast("uvicorn._types.ASGIApplication", app),
        factory=factory,
        loop="auto",
        http=Wire,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=grace_seconds,
    )
