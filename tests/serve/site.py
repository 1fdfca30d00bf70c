"""A real store with small real files, its app, and a client that calls the app directly or over a socket."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symsrv.formats import identify_path
from symsrv.layouts import home
from symsrv.serve import Front, create_app
from symsrv.serve.runner import server
from symsrv.store import Draft, Offer, SymbolStore, open_store
from tests.made.elf_builder import BUILD_ID, Part, build_elf
from tests.made.pdb_builder import GUID_TEXT, build_pdb
from tests.made.pe_builder import build_pe

PDB = f"foo.pdb/{GUID_TEXT.upper()}1/foo.pdb"
EXE = "app.exe/0A1B2C3D3000/app.exe"
PLUS = "libgallium-24.2.8-1~bpo12+rpt1.dll/0A1B2C3D3000/libgallium-24.2.8-1~bpo12+rpt1.dll"
SPACED = "Slack Helper (GPU).exe/0A1B2C3D3000/Slack Helper (GPU).exe"
UMLAUT = "prüfung.dll/0A1B2C3D3000/prüfung.dll"
BIG = "big.exe/0A1B2C3D3000/big.exe"
HEX = BUILD_ID.hex()
LINES = b"line table " * 20
CODE = b"\x90\xc3" * 40
BIG_BYTES = 3 * 1024 * 1024 + 17


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    messages: int = 0

    @property
    def reason(self) -> str | None:
        return self.headers.get("x-symsrv-reason")


class Site:
    """Everything a test of serving needs."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.root = folder / "store"
        self.store: SymbolStore = open_store(str(self.root), create=True, state=folder / "state", **options)
        self.app = create_app(self.store)
        self.loop = asyncio.new_event_loop()

    def publish(self, *files: tuple[str, bytes], replace: bool = False) -> list[str]:
        return publish(self.store, self.folder / "build", *files, replace=replace)

    def get(
        self, path: str | bytes, headers: dict[str, str] | None = None, *, method: str = "GET", app: Any = None
    ) -> Answer:
        """Asks the app directly, as a server would."""
        raw = path if isinstance(path, bytes) else path.encode()
        raw, _, query = raw.partition(b"?")
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
        return self.loop.run_until_complete(call(app or self.app, raw, pairs, method=method, query=query))

    def settle(self) -> None:
        """Waits for what goes on in the background."""
        self.loop.run_until_complete(self.app.hashes.settled())

    def close(self) -> None:
        self.settle()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.app.close()
        self.store.close()


async def call(
    app: Any, raw: bytes, headers: list[tuple[bytes, bytes]], *, method: str = "GET", query: bytes = b""
) -> Answer:
    messages: list[Any] = []
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {
        "type": "http", "method": method, "raw_path": raw, "path": raw.decode("latin-1"), "query_string": query,
        "headers": headers, "scheme": "http", "server": ("127.0.0.1", 8390), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    start, *bodies = messages
    assert start["type"] == "http.response.start"
    assert [body.get("more_body", False) for body in bodies] == [True] * (len(bodies) - 1) + [False]
    body = b"".join(one["body"] for one in bodies)
    found = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    assert len(found) == len(start["headers"])
    return Answer(start["status"], found, body, len(bodies))


def publish(store: SymbolStore, folder: Path, *files: tuple[str, bytes], replace: bool = False) -> list[str]:
    """Commits files as one transaction; returns their homes."""
    folder.mkdir(parents=True, exist_ok=True)
    offers = []
    for name, data in files:
        path = folder / name
        path.write_bytes(data)
        identities = identify_path(path)
        staged = store.stage(path)
        where = home(identities[0])
        offers.append(Offer(path, str(path), where, staged.size, staged.sha256, identities, staged))
    store.commit(Draft(tuple(offers), product="app", version="1.0", replace=replace))
    return [one.home for one in offers]


def standard_files() -> list[tuple[str, bytes]]:
    exe = build_pe()
    code = build_elf((Part(".text", CODE, flags=2),), file_type=2)
    debug = build_elf(
        (Part(".text", b"", kind=8, flags=2, size=80), Part(".debug_info", b"i" * 64), Part(".debug_line", LINES))
    )
    return [
        ("foo.pdb", build_pdb()),
        ("app.exe", exe),
        (PLUS.split("/")[0], exe),
        (SPACED.split("/")[0], exe),
        (UMLAUT.split("/")[0], exe),
        ("big.exe", exe.ljust(BIG_BYTES, b"\x5a")),
        ("app", code),
        ("app.debug", debug),
    ]


@contextlib.contextmanager
def live(store: SymbolStore, **options: Any) -> Iterator[tuple[tuple[str, int], Front]]:
    """An app of its own behind a real server in a thread; yields the address and the app, which ends with it."""
    app = create_app(store, **options)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(128)
        one = server(app)
        thread = threading.Thread(target=one.run, args=([sock],))
        thread.start()
        while not one.started and thread.is_alive():
            time.sleep(0.005)
        try:
            yield sock.getsockname(), app
        finally:
            one.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def exchange(address: tuple[str, int], data: bytes) -> bytes:
    """Sends bytes and reads until the server closes."""
    with socket.create_connection(address, timeout=10) as sock:
        sock.sendall(data)
        parts = []
        with contextlib.suppress(ConnectionResetError):
            while part := sock.recv(1 << 16):
                parts.append(part)
        return b"".join(parts)
