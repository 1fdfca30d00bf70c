"""The fake upstream's server: threads, plain sockets, and every way to break HTTP that a reply asks for."""

import contextlib
import json
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self, TextIO
from urllib.parse import unquote, urlsplit

from symsrv.mirror.faking.base import HEAD, RESET, STALL, Got, Next, Quirk, Reply
from symsrv.mirror.faking.certificate import AUTHORITY, CERTIFICATE, KEY
from symsrv.mirror.faking.folder import Folder

_HEAD_LIMIT_BYTES = 256 << 10
_BLOCK_BYTES = 256 << 10
_UNSENT = 0x5411  # SIOCOUTQ, Linux: bytes that the other side has not confirmed


class FakeUpstream:
    """Answers from a folder, with quirks: pairs of one and the value behind its name. A context: it listens inside."""

    def __init__(
        self,
        folder: Path,
        quirks: Sequence[tuple[Quirk, str]] = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: TextIO | None = None,
    ) -> None:
        answer: Next = Folder(folder).answer
        for quirk, value in reversed(quirks):
            answer = _around(quirk, answer, value)
        self._answer = answer
        self._tls = _context() if any(quirk.tls for quirk, _ in quirks) else None
        self._place = (host, port)
        self._log = log
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = self._server.getsockname()[:2]
        return f"{'https' if self._tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    def __enter__(self) -> Self:
        host, _ = self._place
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._server = socket.create_server(self._place, family=family, backlog=512)
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with self._lock:
            still = [self._server, *self._open]
        for one in still:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Any) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self._threads = [thread for thread in self._threads if thread.is_alive()]
                self._start(partial(self._serve, connection))

    def _serve(self, plain: socket.socket) -> None:
        with self._lock:
            self._open.add(plain)
        connection = plain
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.add(connection)
            with connection.makefile("rb") as reading:
                while (got := self._read(reading)) is not None and self._reply(connection, got):
                    pass
        except (OSError, ValueError):
            pass  # whoever asked went away, or does not speak HTTP
        finally:
            with self._lock:
                self._open -= {plain, connection}
            for one in {plain, connection}:
                one.close()

    def _read(self, reading: Any) -> Got | None:
        first = reading.readline(_HEAD_LIMIT_BYTES).decode("latin-1")
        if not first.strip():
            return None
        method, target, _ = first.split(" ")
        headers: dict[str, str] = {}
        while (line := reading.readline(_HEAD_LIMIT_BYTES).decode("latin-1").rstrip("\r\n")) and len(headers) < 1000:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        reading.read(int(headers.get("content-length", 0)))
        path = unquote(urlsplit(target).path.lstrip("/"))
        with self._lock:
            number = self._counts[path]
            self._counts[path] += 1
        return Got(method, target, path, headers, number)

    def _reply(self, connection: socket.socket, got: Got) -> bool:
        """Sends the answer; whether the connection may go on."""
        reply = self._answer(got)
        if reply.pause:
            self._stopped.wait(reply.pause)
        head = _head(reply)
        sent = 0
        try:
            connection.sendall(head)
            if got.method == HEAD:
                return True
            sent = self._send(connection, reply)
        finally:
            self._write_down(got, reply, sent)
        if reply.cut is not None:
            self._end(connection, reply.ending)
        return reply.cut is None and reply.length is None

    def _send(self, connection: socket.socket, reply: Reply) -> int:
        left = reply.size if reply.cut is None else min(reply.cut, reply.size)
        size = reply.piece or _BLOCK_BYTES
        sent = 0
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(reply.file.open("rb")) if reply.file is not None else None
            if file is not None:
                file.seek(reply.start)
            while left and not self._stopped.is_set():
                piece = file.read(min(size, left)) if file is not None else reply.data[sent : sent + min(size, left)]
                if not piece:
                    break
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if reply.chunked else piece)
                sent += len(piece)
                left -= len(piece)
                if reply.step:
                    self._stopped.wait(reply.step)
        if reply.chunked and reply.cut is None:
            connection.sendall(b"0\r\n\r\n")
        return sent

    def _end(self, connection: socket.socket, ending: str) -> None:
        if ending == STALL:
            with contextlib.suppress(OSError):
                while connection.recv(_BLOCK_BYTES):  # until the other side has enough of it
                    pass
        elif ending == RESET:
            self._drained(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _drained(self, connection: socket.socket) -> None:
        """Waits until the other side has what was sent: a reset throws away what it has not."""
        for _ in range(100):
            if _unsent(connection) == 0 or self._stopped.wait(0.01):
                return

    def _write_down(self, got: Got, reply: Reply, sent: int) -> None:
        headers = {name: _masked(name, value) for name, value in got.headers.items()}
        line = {
            "method": got.method,
            "path": got.path,
            "target": got.target,
            "number": got.number,
            "headers": headers,
            "status": int(reply.status),
            "sent": sent,
            "time": round(time.time(), 3),
        }
        with self._lock:
            self.requests.append(line)
            if self._log is not None:
                self._log.write(json.dumps(line) + "\n")
                self._log.flush()


def _around(quirk: Quirk, inner: Next, value: str) -> Next:
    return lambda got: quirk.act(got, inner, value)


def _head(reply: Reply) -> bytes:
    headers = dict(reply.headers)
    if reply.chunked:
        headers["Transfer-Encoding"] = "chunked"
    elif reply.length != -1:
        headers["Content-Length"] = str(reply.size if reply.length is None else reply.length)
    if reply.length is not None or reply.cut is not None:
        headers["Connection"] = "close" if reply.length == -1 else "keep-alive"
    lines = [f"HTTP/1.1 {int(reply.status)} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _masked(name: str, value: str) -> str:
    return f"{value.partition(' ')[0]} ***" if name in ("authorization", "proxy-authorization", "cookie") else value


def _unsent(connection: socket.socket) -> int:
    if not sys.platform.startswith("linux"):
        return -1
    import fcntl

    return int.from_bytes(fcntl.ioctl(connection.fileno(), _UNSENT, bytes(4)), sys.byteorder)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        chain = Path(folder, "chain.pem")
        chain.write_text(KEY + CERTIFICATE + AUTHORITY, encoding="ascii")
        context.load_cert_chain(chain)
    return context
