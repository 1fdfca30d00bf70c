"""HTTP/1.1 on the wire: uvicorn's protocol, with the manners and the speed that symbol clients need.

* What is not HTTP, or not a URL, is answered 404 and not 400: .NET's tools never ask a server again that said 400.
* A request without a body and without conditions is answered on the spot if the app can (`Front.at_once`), without a
  task, a scope and events, which cost more than opening and reading the file. Everything else goes by ASGI, and a
  test holds the two to the same answers.
* A client that takes nothing for a minute is let go, and so is one that sends headers without end.
"""

import asyncio
import logging
import re
from typing import Any, Protocol, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from symsrv.serve import zero_copy
from symsrv.serve.asgi import Headers

logger = logging.getLogger(__name__)

STALL_SECONDS = 60.0
HEADER_LIMIT_BYTES = 1 << 20  # .NET's symbol client grows its headers by 73 bytes per file (clients.md, trap 31)

# The whole of a request that can be answered at once. Strict, so that we and a proxy before us see the same: what is
# not exactly this is left to the parser.
_SIMPLE = re.compile(
    rb"GET (/[!-~]*) HTTP/1\.1\r\n"
    rb"((?:(?!range|if-|x-debuginfod-maxsize|connection|content-length|transfer-encoding|expect|upgrade|te:|accept:)"
    rb"[!#$%&'*+.^_`|~0-9a-z-]+:[\t -~\x80-\xff]*\r\n|connection: *keep-alive\r\n|accept: *\*/\*\r\n)*\r\n)",
    re.IGNORECASE,
)

_TARGET = re.compile(rb"/[!-~]*")

AtOnce = tuple[int, bytes, bytes]


class Quick(Protocol):
    """An app that can answer some requests without awaiting anything."""

    def at_once(self, raw: bytes, header_lines: bytes) -> AtOnce | None:
        """Status, header lines with the final empty one, and body for a plain GET; None if it must go by ASGI."""


class Wire(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._at_once = cast("Quick", config.loaded_app).at_once if hasattr(config.loaded_app, "at_once") else None
        self._rest = b""
        self._begun = False
        self._header_bytes = 0
        self._answered_at = 0.0
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Gives who connects and says nothing the same time as who said something before."""
        super().connection_made(transport)
        self._wait_for_more()

    def data_received(self, data: bytes) -> None:
        """Answers a simple request at once, and leaves all others to the parser."""
        if not self._begun and self._at_once is not None and not self.flow.write_paused and self._answer(data):
            return
        if self._header_bytes > HEADER_LIMIT_BYTES:
            self.transport.abort()
            return
        self._header_bytes += len(data)
        super().data_received(data)

    def _answer(self, data: bytes) -> bool:
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            return False
        # Clients repeat their headers word by word on a connection: what was seen to be simple once is so again.
        end = data.find(b" HTTP/1.1\r\n", 5)
        if self._rest and data[end:] == self._rest and data.startswith(b"GET ") and _TARGET.fullmatch(data, 4, end):
            raw = data[4:end]
        else:
            match = _SIMPLE.fullmatch(data)
            if match is None:
                return False
            raw = match[1]
            self._rest = data[match.end(1) :]
        raw = raw.partition(b"?")[0]
        try:
            found = self._at_once(raw, self._rest) if self._at_once is not None and b"#" not in raw else None
        except Exception:  # the slow way meets it again, and logs it
            return False
        if found is None:
            return False
        status, head, body = found
        self.transport.write(b"".join((_opening(status, self.server_state.default_headers), head, body)))
        self.server_state.total_requests += 1
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait_for_more()
        return True

    def _wait_for_more(self) -> None:
        self._answered_at = self.loop.time()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Closes an idle connection; one timer serves all the answers that were given since it was set."""
        self.timeout_keep_alive_task = None
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if left > 0.01:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Starts the app, and lets it have files sent by the kernel."""
        if zero_copy.AVAILABLE and self.scheme == "http":
            cycle.scope["extensions"] = {zero_copy.EXTENSION: {}}
            ordinary = cycle.send

            async def send(message: Any) -> None:
                if message["type"] == zero_copy.EXTENSION:
                    await self._send_file(cycle, message)
                    message = {"type": "http.response.body", "body": b"", "more_body": message["more_body"]}
                await ordinary(message)

            cycle.send = send  # type: ignore[method-assign]
        super()._start_asgi_task(cycle, app)

    async def _send_file(self, cycle: RequestResponseCycle, message: Any) -> None:
        if cycle.disconnected:
            return
        count = message["count"]
        try:
            await zero_copy.pump(self.transport, message["file"], message["offset"], count, stall_seconds=STALL_SECONDS)
        except OSError as exc:
            if isinstance(exc, zero_copy.FileEndedError):
                logger.warning("file became shorter while it was sent", extra={"path": cycle.scope["path"]})
            cycle.disconnected = True
            cycle.message_event.set()
            self.transport.abort()
        else:
            cycle.expected_content_length -= count

    # What the parser tells

    def on_message_begin(self) -> None:
        """Notes that a request has begun."""
        self._begun = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Notes that a request has ended."""
        super().on_message_complete()
        self._begun = False
        self._header_bytes = 0

    def on_headers_complete(self) -> None:
        """Starts the app; a target that is no URL becomes a path that nothing has."""
        self._header_bytes = 0
        try:
            httptools.parse_url(self.url).path.decode("ascii")
        except (httptools.HttpParserInvalidURLError, UnicodeDecodeError, AttributeError):
            self.url = b"/-/not-a-url"
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Takes a piece of a body, which has no limit here: nobody keeps it."""
        self._header_bytes = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Says 404 to what is not HTTP."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started:
                self.transport.close()  # nothing may come between the bytes of an answer
                return
            cycle.disconnected = True
        body = msg.encode()
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n" % len(body)
        head += b"cache-control: no-cache\r\nx-symsrv-reason: bad-path\r\n\r\n"
        self.transport.write(_opening(404, self.server_state.default_headers) + head + body)
        self.transport.close()

    # Clients that do not read

    def pause_writing(self) -> None:
        """Waits for the client, but not for ever."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Goes on."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets timers along with the connection."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


_openings: dict[int, tuple[Headers, bytes]] = {}


def _opening(status: int, defaults: Headers) -> bytes:
    """Status line and the server's own headers, made again only when they change, once a second."""
    known = _openings.get(status)
    if known is not None and known[0] is defaults:
        return known[1]
    lines = STATUS_LINE[status] + b"".join(name + b": " + value + b"\r\n" for name, value in defaults)
    _openings[status] = (defaults, lines)
    return lines
