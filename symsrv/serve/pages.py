"""Pages for people and for machines that watch: home, health, metrics. The only place where a 503 is allowed."""

import asyncio
import logging
import re
from html import escape

from symsrv import __version__, metrics
from symsrv.model.errors import SymsrvError
from symsrv.serve.asgi import Headers, Scope, header, plain_headers
from symsrv.serve.clients import CLIENTS
from symsrv.serve.pools import Pools
from symsrv.store import SymbolStore

READY_SECONDS = 5.0

_HTML = b"text/html; charset=utf-8"
_TEXT = b"text/plain; charset=utf-8"
_STRICT = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")

logger = logging.getLogger(__name__)

Page = tuple[int, Headers, bytes]


class Pages:
    """Answers `/`, `/metrics` and what is below `/-/`."""

    def __init__(self, store: SymbolStore, pools: Pools, counted: metrics.ServeMetrics) -> None:
        self._store = store
        self._pools = pools
        self._metrics = counted

    async def page(self, path: str, scope: Scope) -> Page | None:
        """The page at a path without leading slash, None if there is none."""
        if path in ("", "-", "-/"):
            return _page(200, home(_own_url(scope)).encode(), _HTML, _STRICT)
        if path in ("metrics", "-/metrics"):
            return _page(200, await self._pools.in_io(self._metrics.render), metrics.CONTENT_TYPE.encode())
        if path == "-/healthz":
            return _page(200, b"ok\n", _TEXT)
        if path == "-/readyz":
            return await self._ready()
        return None

    async def _ready(self) -> Page:
        try:
            await asyncio.wait_for(self._pools.in_io(self._store.look, "pingme.txt"), READY_SECONDS)
        except (OSError, RuntimeError, TimeoutError, SymsrvError) as exc:
            logger.warning("the store cannot be reached", extra={"error": str(exc)})
            return _page(503, b"the store cannot be reached\n", _TEXT)
        return _page(200, b"ready\n", _TEXT)


def _page(status: int, body: bytes, content_type: bytes, *more: tuple[bytes, bytes]) -> Page:
    return status, plain_headers(body, content_type, *more), body


def _own_url(scope: Scope) -> str:
    """The address under which the browser reached us. It is only shown to who sent it."""
    headers = scope["headers"]
    host = header(headers, b"host").decode("latin-1")
    if not host:
        name, port = scope.get("server") or ("localhost", None)
        name = f"[{name}]" if ":" in name else name
        host = f"{name}:{port}" if port else name
    scheme = header(headers, b"x-forwarded-proto").decode("latin-1")
    if scheme not in ("http", "https"):
        scheme = scope.get("scheme", "http")
    return f"{scheme}://{host}{scope.get('root_path', '')}"


def home(url: str) -> str:
    """The home page: what this is, and the lines to paste."""
    rows = "".join(
        f"<section><h2>{escape(client.name)}</h2><p>{escape(client.where)}</p>"
        f"<pre>{escape(chr(10).join(client.lines_for(url)))}</pre></section>\n"
        for client in CLIENTS
    )
    parts = {"@VERSION@": __version__, "@URL@": escape(url), "@ROWS@": rows}
    # In one pass: what the browser sent may look like a part's name.
    return re.sub("|".join(parts), lambda match: parts[match[0]], _HOME)


_HOME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>symsrv</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }
h1 { margin-bottom: 0 } h2 { font-size: 1.05rem; margin: 1.6rem 0 0 } p { margin: .1rem 0 .3rem }
section p { color: #595959 }
pre { background: #f3f3f3; padding: .6rem .8rem; border-radius: .3rem; overflow-x: auto; user-select: all }
footer { margin: 2.5rem 0; color: #595959 }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #1b1b1b } pre { background: #2a2a2a } section p, footer { color: #a5a5a5 } }
</style>
</head>
<body>
<h1>symsrv</h1>
<p>One symbol store for every debugger. Point yours at <strong>@URL@</strong>:</p>
@ROWS@<footer>symsrv @VERSION@ · <a href="/-/metrics">metrics</a> · <a href="/-/healthz">health</a></footer>
</body>
</html>
"""
