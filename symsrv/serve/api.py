"""What scripts ask below `/-/api/v1/`, in JSON: the missing list, why a symbol is not there, what a dump lacks."""

import asyncio
import json
import logging
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from symsrv import __version__
from symsrv.formats.modules import modules_of_path
from symsrv.layouts.asking import asked
from symsrv.model.ask import Wants
from symsrv.model.errors import StoreError, SymsrvError, UsageError
from symsrv.model.modules import Module
from symsrv.model.wants import WantState
from symsrv.serve.asgi import Headers, Receive, Scope, plain_headers
from symsrv.serve.demand import Demand, Explain, Wanted
from symsrv.serve.forms import Posted, Rejected, take
from symsrv.serve.pools import Pools
from symsrv.store import SymbolStore
from symsrv.store.missing import KINDS, NOT_HERE, Chosen, listed, since
from symsrv.store.needs import need
from symsrv.store.reports import file_report, fingerprint, kept_data, lacking
from symsrv.store.whereabouts import Whereabouts, Why

if TYPE_CHECKING:
    from symsrv.ledger.state import State

ROOT = "-/api/v1/"
POSTS = 4
MODULES_LIMIT = 4096  # Breakpad's own processor stops at 2048
LISTED, LISTED_LIMIT = 100, 1000
_QUERY_LIMIT = 32

logger = logging.getLogger(__name__)

Page = tuple[int, Headers, bytes]
Query = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Dumps:
    """How dumps may be posted: at all, how large, how slowly."""

    accept: bool = False
    limit_bytes: int = 256 << 20
    seconds: float = 60.0


class Api:
    """Answers what is below ROOT. Doors that tell names of files are open only where `explain` is full."""

    def __init__(self, store: SymbolStore, pools: Pools, demand: Demand, *, wanted: Wanted, dumps: Dumps) -> None:
        self._store = store
        self._pools = pools
        self._demand = demand
        self._state = wanted.state
        self._full = wanted.explain is Explain.FULL
        self._dumps = dumps
        self._posts = asyncio.Semaphore(POSTS)
        self._doors: dict[str, tuple[str, Callable[[Scope, Receive, Query], Awaitable[Any]]]] = {
            "missing": ("GET", self._missing),
            "why": ("GET", self._why),
            "status": ("GET", self._status),
            "dumps": ("POST", self._post),
        }

    async def answer(self, path: str, scope: Scope, receive: Receive) -> Page:
        """The answer to a path below ROOT, whatever comes: `error` and `reason` say why there is no other."""
        try:
            method, door = self._doors.get(path.removeprefix(ROOT), ("", None))
            if door is None:
                raise Rejected(404, "unknown-path", f"there are {', '.join(sorted(self._doors))}")
            if scope["method"] not in (method, "HEAD" if method == "GET" else method):
                raise Rejected(405, "method", f"this is asked by {method}")
            return _page(200, await door(scope, receive, _query(scope)))
        except Rejected as error:
            return _refused(error.status, error.reason, error)
        except UsageError as error:
            return _refused(400, error.reason, error)
        except (StoreError, OSError) as error:
            logger.warning("could not answer", extra={"path": path, "error": str(error)})
            return _refused(503, getattr(error, "reason", "system"), "the store or its missing list cannot be read now")

    async def _missing(self, _scope: Scope, _receive: Receive, query: Query) -> dict[str, Any]:
        state = self._open_state()
        chosen = Chosen(
            states=[WantState(one) for one in _words(query, "state", tuple(WantState))] or NOT_HERE,
            kinds=[Wants(one) for one in _words(query, "kind", KINDS)],
            name=_text(query, "name"),
            who=_text(query, "who"),
            since=since(_text(query, "since")) if _text(query, "since") else None,
        )
        limit, after = _number(query, "limit") or LISTED, _number(query, "after")
        limit = min(limit, LISTED_LIMIT)

        def work() -> dict[str, Any]:
            page = list(listed(state, chosen, limit=limit, after=after))
            more = page[-1].id if len(page) == limit else None
            return {"missing": [one.to_record() for one in page], "after": more}

        return await self._pools.in_state(work)

    async def _why(self, _scope: Scope, _receive: Receive, query: Query) -> dict[str, Any]:
        name, symbol_id = _text(query, "name"), _text(query, "id")
        if not name:
            raise UsageError("say which file: ?name=crash.pdb&id=3249D99D0C4049318610F4E4FB0B69361")
        ask = asked(name, symbol_id or None)
        record: dict[str, Any] = {"asked": f"{name} {symbol_id}".strip()}
        if ask is None:
            return record | Whereabouts(Why.UNKNOWN_PATH).to_short_record()
        await self._demand.catch_up()
        return record | await self._demand.why(ask)

    async def _status(self, _scope: Scope, _receive: Receive, _query_: Query) -> dict[str, Any]:
        state = self._state

        def work() -> dict[str, Any]:
            self._store.catch_up()
            record: dict[str, Any] = {"version": __version__, "files": self._store.known_files(), "wants": None}
            if state is not None:
                record["wants"] = {one.value: count for one, count in state.wants.counts().items()}
                record |= _fetching(state) if self._full else {}
            return record

        return await self._pools.in_state(work)

    async def _post(self, scope: Scope, receive: Receive, _query_: Query) -> dict[str, Any]:
        if not self._dumps.accept:
            raise Rejected(403, "closed", "dumps are not taken here; 'serve.accept_dumps: true' opens the door")
        if self._posts.locked():
            raise Rejected(503, "busy", f"{POSTS} dumps are being looked at already; try again")
        async with self._posts:
            folder = Path(await self._pools.in_io(tempfile.mkdtemp, "", "symsrv-dump-"))
            try:
                posted = await take(
                    scope,
                    receive,
                    self._pools,
                    folder=folder,
                    limit_bytes=self._dumps.limit_bytes,
                    seconds=self._dumps.seconds,
                )
                return await self._pools.in_state(self._looked_at, posted)
            finally:
                await asyncio.shield(self._pools.in_io(shutil.rmtree, folder, True))

    def _looked_at(self, posted: Posted) -> dict[str, Any]:
        modules: dict[Module, None] = {}
        failure: SymsrvError | None = None
        try:
            for one in modules_of_path(posted.path, posted.name or "dump"):
                if len(modules) >= MODULES_LIMIT:
                    raise Rejected(400, "too-complex", f"a dump of more than {MODULES_LIMIT} modules")
                modules[one] = None
        except SymsrvError as error:
            failure = error
        if failure is not None and not modules:
            raise Rejected(400, failure.reason, str(failure))
        self._store.catch_up()
        needs = [need(self._store, one) for one in modules]
        record: dict[str, Any] = {"name": posted.name, "modules": [one.to_record() for one in needs]}
        if not self._full:
            for one in record["modules"]:
                del one["near"]
        if failure is not None:
            record |= {"error": str(failure), "reason": failure.reason}
        if self._state is not None:
            name = posted.name or "dump"
            wishes = lacking(needs, who="dump:posted")
            mark = fingerprint(posted.path)
            record["report"] = file_report(self._state, name, wishes, mark=mark, data=kept_data(posted.fields))
        return record

    def _open_state(self) -> "State":
        if not self._full:
            raise Rejected(403, "closed", "the missing list is not shown here; 'serve.explain: full' opens the door")
        if self._state is None:
            raise Rejected(404, "no-state", "there is no missing list here")
        return self._state


def _fetching(state: "State") -> dict[str, Any]:
    """How fetching goes, by upstream; the hosts are those that are left alone or probed."""
    return {
        "bytes_today": sum(state.spending.today().values()),
        "reports_complete": len(state.reports.complete()),
        "upstreams": [one.to_record() for one in state.attempts.statistics()],
        "breakers": [
            {
                "host": one.host,
                "state": one.state.value,
                "until": None if one.until is None else one.until.isoformat(),
                "reason": one.reason,
            }
            for one in state.breakers.list()
            if one.state != "closed"
        ],
    }


def _query(scope: Scope) -> Query:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(scope.get("query_string", b"").decode("utf-8", "replace"))[:_QUERY_LIMIT]:
        found.setdefault(name, []).append(value)
    return found


def _text(query: Query, name: str) -> str:
    return query.get(name, [""])[-1].strip()


def _words(query: Query, name: str, known: tuple[str, ...]) -> list[str]:
    """The words of a parameter that may come several times; raises UsageError for one that is not known."""
    for one in query.get(name, []):
        if one not in known:
            raise UsageError(f"{name} is one of {', '.join(known)}")
    return query.get(name, [])


def _number(query: Query, name: str) -> int | None:
    text = _text(query, name)
    if text and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise UsageError(f"{name} is a number")
    return int(text) if text else None


def _page(status: int, record: Mapping[str, Any]) -> Page:
    body = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    return status, plain_headers(body, b"application/json"), body


def _refused(status: int, reason: str, error: object) -> Page:
    answered, headers, body = _page(status, {"error": str(error), "reason": reason})
    return answered, [*headers, (b"x-symsrv-reason", reason.encode())], body
