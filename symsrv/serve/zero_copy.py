"""ASGI's `http.response.zerocopysend` on a plain socket: the kernel copies from the file, as nginx has it done.

Half of the processor time per byte of reading and writing, and more where connections are many. One pump moves one
chunk each time that the socket takes more, so that other connections have their turn between two chunks.
"""

import asyncio
import os
import socket
import time

EXTENSION = "http.response.zerocopysend"
CHUNK_BYTES = 1 << 20
AVAILABLE = hasattr(os, "sendfile") and os.name != "nt"


class FileEndedError(OSError):
    """The file has fewer bytes than were to be sent."""


async def pump(transport: asyncio.WriteTransport, file: int, offset: int, count: int, *, stall_seconds: float) -> None:
    """Sends a span of an open file after what the transport still holds; raises OSError if it cannot be done."""
    # The loop watches the socket under its own number already, and does not let anybody else do so: hence a second one.
    sock: socket.socket = transport.get_extra_info("socket")
    out = os.dup(sock.fileno())
    try:
        await _Pump(transport, out, file, offset, count).run(stall_seconds)
    finally:
        os.close(out)


class _Pump:
    def __init__(self, transport: asyncio.WriteTransport, out: int, file: int, offset: int, count: int) -> None:
        self._transport = transport
        self._out = out
        self._file = file
        self._offset = offset
        self._left = count
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._moved_at = time.monotonic()

    async def run(self, stall_seconds: float) -> None:
        self._loop.add_writer(self._out, self._move)
        self._watch = self._loop.call_later(stall_seconds, self._check, stall_seconds)
        try:
            await self._done
        finally:
            self._watch.cancel()
            self._loop.remove_writer(self._out)

    def _move(self) -> None:
        if self._done.done():
            return
        try:
            if self._transport.get_write_buffer_size():
                return  # headers, or the end of an earlier answer: they go first
            sent = os.sendfile(self._out, self._file, self._offset, min(self._left, CHUNK_BYTES))
            if sent == 0:
                raise FileEndedError("the file became shorter while it was sent")
        except (BlockingIOError, InterruptedError):
            return
        except OSError as exc:
            self._done.set_exception(exc)
            return
        self._moved_at = time.monotonic()
        self._offset += sent
        self._left -= sent
        if not self._left:
            self._done.set_result(None)

    def _check(self, stall_seconds: float) -> None:
        """Gives up on a client that took nothing for so long, and on one that is gone."""
        if self._done.done():
            return
        if time.monotonic() - self._moved_at >= stall_seconds or self._transport.is_closing():
            self._done.set_exception(TimeoutError("the client takes nothing"))
        else:
            self._watch = self._loop.call_later(stall_seconds / 4, self._check, stall_seconds)
