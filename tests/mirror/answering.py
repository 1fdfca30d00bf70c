"""A server whose every byte a test decides: one function per request, which gets the request and the connection."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    raw: bytes
    number: int


@dataclass
class Answering:
    """Answers each request by `answer(request)`: bytes to send, or a function of the connection; None closes it."""

    answer: object
    requests: list[Request] = field(default_factory=list)

    def __enter__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._connections = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_error):
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for one in self._connections:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for one in self._threads:
            one.join(10)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self._connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            waiting = b""
            while True:
                while b"\r\n\r\n" not in waiting:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    waiting += piece
                head, _, waiting = waiting.partition(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").split("\r\n")
                method, target, _ = first.split(" ")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                request = Request(method, target, headers, head, len(self.requests))
                self.requests.append(request)
                answer = self.answer(request)
                if callable(answer):
                    answer = answer(connection)
                if answer is None:
                    return
                connection.sendall(answer)


def ok(body=b"", *lines, status="200 OK", length=None):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def redirect(location, status="302 Found"):
    return ok(b"", f"Location: {location}", status=status)
