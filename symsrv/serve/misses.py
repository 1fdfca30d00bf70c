"""The answers that have no file: 404 whatever the cause, with its reason word in a header."""

import json
from collections.abc import Sequence
from typing import Any

from symsrv.serve.answer import Miss, Reason
from symsrv.serve.asgi import Headers, Scope, Send, header, lines, plain_headers, send_whole


async def send_miss(
    miss: Miss,
    scope: Scope,
    send: Send,
    *,
    why: dict[str, Any] | None = None,
    more: Sequence[tuple[bytes, bytes]] = (),
) -> tuple[str, int]:
    """Sends a miss, `why` with more words for who reads JSON; returns its outcome and the bytes of a body that count.

    `more` are further headers.
    """
    headers, body = _MISSES[miss.reason, reads_json(scope)] if why is None else _answer(miss.reason, why=why)
    await send_whole(send, miss.status, [*headers, *more], body, head=scope["method"] == "HEAD")
    return ("miss" if miss.status == 404 else "too-big"), 0


def reads_json(scope: Scope) -> bool:
    """Whether the client is a person's script and no debugger."""
    return b"application/json" in header(scope["headers"], b"accept")


def _answer(reason: Reason, *, as_json: bool = True, why: dict[str, Any] | None = None) -> tuple[Headers, bytes]:
    if as_json:
        record = {"error": SENTENCES[reason], "reason": reason} | ({} if why is None else {"why": why})
        body, kind = json.dumps(record).encode() + b"\n", b"application/json"
    else:
        body, kind = f"{SENTENCES[reason]}\n".encode(), b"text/plain; charset=utf-8"
    return plain_headers(body, kind, (b"x-symsrv-reason", reason.encode()), (b"vary", b"accept")), body


SENTENCES = {
    Reason.BAD_PATH: "no symbol can have such a path",
    Reason.UNKNOWN_PATH: "this is not a path of any symbol server's dialect",
    Reason.NOT_FOUND: "not in this store",
    Reason.FETCHING: "not in this store yet; it is being fetched, ask again",
    Reason.RESTING: "not in this store, and no other server had it when it was asked lately",
    Reason.SKIPLIST: "not in this store, and on the skiplist, as no other server had it however often it was asked",
    Reason.BLOCKED: "not in this store, and its name is on the block list",
    Reason.NOT_ALLOWED: "not in this store, and its name is on no allow list",
    Reason.NO_SECTION: "no file with this build id has such a section",
    Reason.EMPTY: "the file is empty",
    Reason.CHANGED: "the file changed while it was read",
    Reason.DAMAGED: "the compressed file is damaged",
    Reason.POINTER_REFUSED: "only a pointer to a file is here, and that file is not served",
    Reason.POINTER_BROKEN: "only a pointer is here, and it leads to no file",
    Reason.HIDDEN: "not served",
    Reason.NO_TIERS: "this store has one tier",
    Reason.METHOD: "symbols are only read here",
    Reason.TOO_BIG: "larger than X-DEBUGINFOD-MAXSIZE",
    Reason.UNAVAILABLE: "the store could not be read",
    Reason.FAILED: "could not be answered",
}
_MISSES = {(reason, as_json): _answer(reason, as_json=as_json) for reason in Reason for as_json in (False, True)}

MISSED = (lines(_MISSES[Reason.NOT_FOUND, False][0]), _MISSES[Reason.NOT_FOUND, False][1])
"""The head and the body of the commonest miss, as they stand on the wire."""
EXPLAINED = frozenset({Reason.NOT_FOUND, Reason.POINTER_REFUSED, Reason.POINTER_BROKEN})
"""The misses of which the store, and the missing list, can say more; they are what is wished for."""
