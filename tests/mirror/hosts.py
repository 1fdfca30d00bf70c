"""Plain web servers in this process, over a folder as it lies there; they note what they were asked."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Host:
    """A running server: its URL, and the paths it was asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: object, host: Host, refuse: Callable[[str], int | None], **options: object) -> None:
        self._host, self._refuse = host, refuse
        super().__init__(*arguments, **options)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._host.asked.append(self.path)
        if status := self._refuse(self.path):
            self.send_error(status)
        else:
            super().do_GET()

    def log_message(self, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def plain_host(folder: Path, refuse: Callable[[str], int | None] = lambda _path: None) -> Iterator[Host]:
    """Serves a folder; `refuse` may answer a path with a status of its own."""
    host = Host("")
    handler = partial(_Handler, host=host, refuse=refuse, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        host.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()
