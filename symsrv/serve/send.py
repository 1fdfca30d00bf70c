"""From an answer to bytes on the wire. What was opened is what is sent, and it is always closed.

A small file is read in one go before anything is promised; a big one or a range goes out in chunks of 256 KiB, read
from the same descriptor (the fastest way measured, docs/decisions: baselines).
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator

from symsrv.serve.answer import File
from symsrv.serve.asgi import Message, Receive, Send
from symsrv.serve.pools import Pools
from symsrv.serve.zero_copy import EXTENSION
from symsrv.store import Opened

CHUNK_BYTES = 256 * 1024
SPAN_BYTES = 64 << 20  # how much the server is told to send before we look whether the client is there
_PREAD = hasattr(os, "pread")

logger = logging.getLogger(__name__)


class FileShrunkError(Exception):
    """The file is shorter than its own stat said; nothing has been sent."""


def read_now(opened: Opened, offset: int, length: int) -> bytes:
    """Reads a span of an opened file in the caller's thread; raises FileShrunkError if it is not there."""
    data = _at(opened, offset, length)
    if len(data) != length:
        # A regular file is read whole in one call, except when a signal comes between.
        parts = [data]
        have = len(data)
        while have < length:
            data = _at(opened, offset + have, length - have)
            if not data:
                raise FileShrunkError
            parts.append(data)
            have += len(data)
        return b"".join(parts)
    return data


def _at(opened: Opened, offset: int, length: int) -> bytes:
    if opened.descriptor is not None and _PREAD:
        return os.pread(opened.descriptor, length, offset)
    if opened.descriptor is not None:
        opened.stream.seek(offset)
    return opened.stream.read(length)


async def send_big(
    opened: Opened, answer: File, pools: Pools, receive: Receive, send: Send, *, zero_copy: bool = False
) -> int:
    """Sends headers and a long body, and returns how many bytes of it went out.

    Ends quietly when the client is gone. A file that became shorter ends the answer before its promised length, which
    makes the server close the connection: the client sees a broken transfer, never a wrong file. `zero_copy` says that
    the server can take the bytes from the descriptor itself.
    """
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    left = answer.length
    async with watching(receive) as gone:
        offset = answer.offset
        while left:
            if zero_copy and opened.descriptor is not None and not gone.done():
                count = min(SPAN_BYTES, left)
                left -= count
                await send(
                    {
                        "type": EXTENSION,
                        "file": opened.descriptor,
                        "offset": offset,
                        "count": count,
                        "more_body": left > 0,
                    }
                )
                offset += count
                continue
            wanted = min(CHUNK_BYTES, left)
            if opened.descriptor is not None:
                data = _at(opened, offset, wanted)
            else:
                data = await pools.in_io(opened.stream.read, wanted)
            if not data:
                logger.warning("file became shorter while it was sent", extra={"path": opened.stat.path})
                break
            if gone.done():
                break
            left -= len(data)
            offset += len(data)
            await send({"type": "http.response.body", "body": data, "more_body": left > 0})
    return answer.length - left


@contextlib.asynccontextmanager
async def watching(receive: Receive) -> AsyncIterator["asyncio.Task[None]"]:
    """A task that is done when the client has gone."""
    task = asyncio.ensure_future(_gone(receive))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _gone(receive: Receive) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()
