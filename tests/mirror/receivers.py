"""A receiver on loopback: what it was told, and what it says to that."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answer` makes status, headers and body of each request; None says nothing until the receiver is closed."""

    answer: Callable[[Asked], tuple[int, dict[str, str], bytes] | None] = lambda asked: (200, {}, b"{}")
    asked: list[Asked] = field(default_factory=list)
    _came: threading.Condition = field(default_factory=threading.Condition)
    _closing: threading.Event = field(default_factory=threading.Event)

    def start(self) -> str:
        """Begins to listen; its address."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(length))
                with receiver._came:
                    receiver.asked.append(asked)
                    receiver._came.notify_all()
                said = receiver.answer(asked)
                if said is None:
                    receiver._closing.wait(30)
                    self.close_connection = True
                    return
                status, headers, body = said
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def wait(self, count: int, seconds: float = 10.0) -> bool:
        """Waits until it was asked so often."""
        with self._came:
            return self._came.wait_for(lambda: len(self.asked) >= count, seconds)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
