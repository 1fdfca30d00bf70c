"""The few types of ASGI that this room speaks."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


async def send_whole(send: Send, status: int, headers: Headers, body: bytes, *, head: bool) -> None:
    """Sends a small answer whole; for a HEAD request without its body."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


def plain_headers(body: bytes, content_type: bytes, *more: tuple[bytes, bytes]) -> Headers:
    """The headers of an answer that no cache may keep."""
    return [
        (b"content-type", content_type),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-cache"),
        *more,
    ]


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The first value of a header, `b""` if it did not come."""
    return next((value for key, value in headers if key == name), b"")


def lines(headers: Headers) -> bytes:
    """Headers as they stand on the wire, with the empty line that ends them."""
    return b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n"
