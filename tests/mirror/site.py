"""A symbol server on this machine that has what a test gives it, goes on where a client stopped, and notes requests."""

import contextlib
import hashlib
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote, urlsplit

_PIECE = 64 << 10


@dataclass
class Site:
    """Files by their paths. `before` is called with each path, and may wait, or return a status to answer with.

    `requests` are the paths in the order in which they came; `whole` counts how often the last byte of each was sent,
    and `sent` how many bytes.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    before: Callable[[str], int | None] = lambda _path: None
    piece_seconds: float = 0.0
    requests: list[str] = field(default_factory=list)
    whole: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        class Handler(_Handler):
            site = self

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        for one in self._server.connections:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._server.server_close()  # waits for its threads

    def asked(self, *, name: str = "") -> list[str]:
        """The paths that were asked for whose last segment begins so."""
        return [path for path in self.requests if path.rpartition("/")[2].startswith(name)]


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, *arguments: object) -> None:
        self.connections: list[socket.socket] = []
        super().__init__(*arguments)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed hangs up; everything else is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        site, path = self.site, unquote(urlsplit(self.path).path).lstrip("/")
        with site._lock:
            site.requests.append(path)
            site.at_once += 1
            site.most_at_once = max(site.most_at_once, site.at_once)
        try:
            status = site.before(path)
            data = site.files.get(path)
            if status is not None or data is None:
                self._answer(status or 404)
            else:
                self._send(path, data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with site._lock:
                site.at_once -= 1

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, path: str, data: bytes) -> None:
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        start = 0
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes=") and asked.endswith("-") and self.headers.get("If-Range", tag) == tag:
            start = int(asked[6:-1])
        if start and start < len(data):
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            start = 0
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("ETag", tag)
        self.end_headers()
        for at in range(start, len(data), _PIECE):
            piece = data[at : at + _PIECE]
            self.wfile.write(piece)
            with self.site._lock:
                self.site.sent[path] += len(piece)
            if self.site.piece_seconds:
                time.sleep(self.site.piece_seconds)
        with self.site._lock:
            self.site.whole[path] += 1

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
