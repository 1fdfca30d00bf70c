"""The front: one ASGI callable that every request comes in by. Plain ASGI: a framework's routing costs as much again.

What cannot be answered is a miss, 404 with a reason word, whatever the cause: debuggers drop a server that says
anything else (clients.md, traps 1 and 2).
"""

import logging
import time
from time import perf_counter
from typing import Any
from urllib.parse import quote

from symsrv.metrics import ServeMetrics
from symsrv.model.ask import Wants
from symsrv.model.errors import SymsrvError
from symsrv.serve.answer import OCTETS, Conditions, Miss, Reason, answer, conditions
from symsrv.serve.api import ROOT, Api, Dumps
from symsrv.serve.asgi import Receive, Scope, Send, plain_headers, send_whole
from symsrv.serve.bodies import Bodies
from symsrv.serve.demand import Demand, Wanted, hints, refined
from symsrv.serve.finds import REMEMBERED, Finds, Prepared
from symsrv.serve.fixed import fixed
from symsrv.serve.hashes import Hashes
from symsrv.serve.misses import EXPLAINED, MISSED, reads_json, send_miss
from symsrv.serve.pages import Pages
from symsrv.serve.pools import CPU_THREADS, IO_THREADS, Pools
from symsrv.serve.routes import REMEMBERED_BYTES, Door, Route, route
from symsrv.serve.send import CHUNK_BYTES, FileShrunkError, read_now, send_big
from symsrv.serve.through import Outcome
from symsrv.serve.zero_copy import EXTENSION
from symsrv.store import SymbolStore

COMPLAINT_SECONDS = 60.0
NOTHING_WANTED = Wanted()
NO_DUMPS = Dumps()

logger = logging.getLogger(__name__)

_OUTCOMES = {200: "hit", 206: "part", 304: "unchanged", 416: "no-range", 406: "too-big"}


def create_app(
    store: SymbolStore,
    *,
    io_threads: int = IO_THREADS,
    cpu_threads: int = CPU_THREADS,
    remembered: int = REMEMBERED,
    metrics: ServeMetrics | None = None,
    wanted: Wanted = NOTHING_WANTED,
    dumps: Dumps = NO_DUMPS,
) -> "Front":
    """The ASGI app that serves a store, and does about misses what is `wanted`. It closes neither store nor state."""
    pools = Pools(io_threads=io_threads, cpu_threads=cpu_threads)
    metrics = metrics or ServeMetrics()
    metrics.store_files = store.known_files
    return Front(store, pools, metrics, remembered=remembered, wanted=wanted, dumps=dumps)


class Front:
    """The app of one process."""

    def __init__(
        self,
        store: SymbolStore,
        pools: Pools,
        metrics: ServeMetrics,
        *,
        remembered: int = REMEMBERED,
        wanted: Wanted = NOTHING_WANTED,
        dumps: Dumps = NO_DUMPS,
    ) -> None:
        self.metrics = metrics
        self.hashes = Hashes(store, pools)
        self._store = store
        self._pools = pools
        self._finds = Finds(store, self.hashes, remembered=remembered)
        self._complained_at = -COMPLAINT_SECONDS
        self._bodies = Bodies(store.url)
        self._demand = Demand(store, pools, metrics, wanted)
        self._api = Api(store, pools, self._demand, wanted=wanted, dumps=dumps)
        self._pages = Pages(store, pools, metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one connection event of the server."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    def at_once(self, raw: bytes, header_lines: bytes = b"") -> tuple[int, bytes, bytes] | None:
        """Answers a plain GET without awaiting, as the wire sends it; None if it has to go by ASGI.

        Only what lies on a local disk and is small, or is not there, and is not to be waited for.
        """
        begun = perf_counter()
        where = route(raw)
        if where.door is not Door.SYMBOL or not self._store.local:
            return None
        revision = self._store.revision()
        kept = self._bodies.get(raw, revision)
        if kept is None:
            known = self._finds.known(raw, revision)
            if known is None:
                if not self._finds.misses(raw, where, revision) or not self._demand.missed(
                    raw, where.ask, header_lines
                ):
                    return None
                self.metrics.observe(where.layout, "miss", seconds=perf_counter() - begun, sent=0)
                return 404, *MISSED
            opened, found = known
            facts = found.facts
            try:
                if facts.size > CHUNK_BYTES or facts.tag is None or opened.descriptor is None:
                    return None
                head, data = found.head, read_now(opened, facts.offset, facts.size)
                self._bodies.keep(raw, opened, head, data, revision)
            finally:
                opened.close()
        else:
            head, data = kept.head, kept.data
        self.metrics.observe(where.layout, "hit", seconds=perf_counter() - begun, sent=len(data))
        return 200, head, data

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                self.close()
                return

    def close(self) -> None:
        """Files what was missed, and lets go of the pools; the store and the state are their owner's to close."""
        self._demand.close()
        self._pools.close()

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        metrics = self.metrics
        begun = perf_counter()
        metrics.in_flight += 1
        label, outcome, sent = "none", "failed", 0
        try:
            raw = scope.get("raw_path") or quote(scope["path"]).encode()
            where = route(raw)
            label = where.layout
            if where.door is Door.SYMBOL:
                outcome, sent = await self._symbol(raw, where, scope, receive, send)
            else:
                outcome, sent = await self._other(where, scope, receive, send)
        finally:
            metrics.in_flight -= 1
            metrics.observe(label, outcome, seconds=perf_counter() - begun, sent=sent)

    async def _symbol(self, raw: bytes, where: Route, scope: Scope, receive: Receive, send: Send) -> tuple[str, int]:
        method = scope["method"]
        if method not in ("GET", "HEAD"):
            return await send_miss(Miss(Reason.METHOD), scope, send)
        asked = conditions(scope["headers"])
        outcome = None
        try:
            prepared, body = await self._prepared(raw, where, method, asked)
            if isinstance(prepared.answer, Miss) and prepared.answer.reason in EXPLAINED:
                outcome = await self._demand.waited(raw, where, scope, receive)
                if outcome is Outcome.ARRIVED:
                    await self._demand.catch_up()
                    prepared, body = await self._prepared(raw, where, method, asked)
        except Exception as exc:
            return await send_miss(_failed(exc, where), scope, send)
        decided = prepared.answer
        if isinstance(decided, Miss):
            why = await self._why(decided, where, scope)
            more = [*hints(outcome, scope), *_headers_of(why)]
            return await send_miss(refined(decided, outcome), scope, send, why=why, more=more)
        try:
            if body is None and prepared.opened is not None:
                zero_copy = EXTENSION in (scope.get("extensions") or ())
                sent = await send_big(prepared.opened, decided, self._pools, receive, send, zero_copy=zero_copy)
            else:
                await send_whole(send, decided.status, decided.headers, body or b"", head=False)
                sent = len(body or b"")
        except (OSError, SymsrvError) as exc:
            logger.info("broke off while sending", extra={"path": where.path, "error": str(exc)})
            return "broken", 0
        finally:
            prepared.close()
        return _OUTCOMES[decided.status], sent

    async def _prepared(
        self, raw: bytes, where: Route, method: str, asked: Conditions | None
    ) -> tuple[Prepared, bytes | None]:
        """The answer, and its body if it is small: then the file is closed already and nothing can go wrong later."""
        store = self._store
        prepared: Prepared | None = None
        if store.local:
            revision = self._revision()
            known = self._finds.known(raw, revision)
            if known is not None:
                opened, found = known
                decided = found.whole if asked is None else answer(method, asked, found.facts)
                prepared = Prepared(decided, opened, found)
            elif where.ask is not None and where.ask.wants is Wants.SECTION:
                prepared = await self._pools.in_cpu(self._finds.prepare, where, method, asked)
            else:
                prepared = self._finds.prepare(where, method, asked, fill=False)
                if prepared.waits:
                    pool = self._pools.in_io if prepared.far else self._pools.in_cpu
                    prepared = await pool(self._finds.prepare, where, method, asked)
            if prepared.found is not None and known is None and len(raw) <= REMEMBERED_BYTES:
                self._finds.remember(raw, prepared.found, revision)
            if prepared.found is not None and prepared.found.lacks_hash and prepared.opened is not None:
                self.hashes.want(prepared.opened.stat)
        else:
            prepared = await self._pools.in_io(self._prepare_remote, where, method, asked)
            if prepared.waits:
                prepared = await self._pools.in_cpu(self._finds.prepare, where, method, asked)
        try:
            return prepared, await self._small(prepared, method)
        except BaseException:
            prepared.close()
            raise

    async def _why(self, miss: Miss, where: Route, scope: Scope) -> dict[str, Any] | None:
        """What `symsrv why` says, for who reads JSON: people and scripts, no debugger."""
        if miss.reason not in EXPLAINED or where.ask is None or not reads_json(scope):
            return None
        try:
            return await self._demand.why(where.ask)
        except (SymsrvError, OSError) as exc:
            logger.info("cannot say why", extra={"path": where.path, "error": str(exc)})
            return None

    def _revision(self) -> object:
        """The store's revision; if news of it cannot be read, what is known is served, and nothing is remembered."""
        try:
            return self._store.revision()
        except Exception as exc:
            if time.monotonic() - self._complained_at > COMPLAINT_SECONDS:
                self._complained_at = time.monotonic()
                logger.warning("cannot read what was published", exc_info=exc)
            return object()

    def _prepare_remote(self, where: Route, method: str, asked: Conditions | None) -> Prepared:
        self._revision()  # reads what others published, now and then
        return self._finds.prepare(where, method, asked, fill=False)

    async def _small(self, prepared: Prepared, method: str) -> bytes | None:
        decided, opened = prepared.answer, prepared.opened
        if isinstance(decided, Miss) or opened is None or method == "HEAD" or not decided.length:
            prepared.close()
            return b""
        if decided.length > CHUNK_BYTES:
            return None
        if opened.descriptor is not None:
            body = read_now(opened, decided.offset, decided.length)
        else:
            body = await self._pools.in_io(read_now, opened, decided.offset, decided.length)
        prepared.close()
        return body

    async def _other(self, where: Route, scope: Scope, receive: Receive, send: Send) -> tuple[str, int]:
        head = scope["method"] == "HEAD"
        if where.door is Door.NOBODY:
            return await send_miss(Miss(where.reason), scope, send)
        if where.path.startswith(ROOT):
            status, headers, body = await self._api.answer(where.path, scope, receive)
            await send_whole(send, status, headers, body, head=head)
            return ("hit" if status == 200 else "refused"), 0 if head else len(body)
        if not head and scope["method"] != "GET":
            return await send_miss(Miss(Reason.METHOD), scope, send)
        try:
            if where.door is Door.PAGE:
                page = await self._pages.page(where.path, scope)
                if page is None:
                    return await send_miss(Miss(Reason.UNKNOWN_PATH), scope, send)
                status, headers, body = page
            else:
                data = await self._pools.in_io(fixed, self._store, where.path)
                if isinstance(data, Miss):
                    return await send_miss(data, scope, send)
                status, headers, body = 200, plain_headers(data, OCTETS), data
        except Exception as exc:
            return await send_miss(_failed(exc, where), scope, send)
        await send_whole(send, status, headers, body, head=head)
        return "hit", 0 if head else len(body)


def _failed(exc: Exception, where: Route) -> Miss:
    """What a client hears of our own troubles: that the file is not to be had."""
    if isinstance(exc, FileShrunkError):
        return Miss(Reason.CHANGED)
    if isinstance(exc, SymsrvError | OSError):
        logger.warning("could not answer", extra={"path": where.path, "error": str(exc)})
        return Miss(Reason.UNAVAILABLE)
    logger.exception("could not answer", extra={"path": where.path})
    return Miss(Reason.FAILED)


def _headers_of(why: dict[str, Any] | None) -> list[tuple[bytes, bytes]]:
    """The words of an explanation, for who reads headers alone."""
    if why is None:
        return []
    found = [(b"x-symsrv-why", str(why["reason"]).encode())]
    return [*found, (b"x-symsrv-wanted", str(why["wanted"]["reason"]).encode())] if "wanted" in why else found
