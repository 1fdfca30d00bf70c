"""From an answer to bytes on the wire."""

import asyncio
import io
import os
import uuid

import pytest

from symsrv.model.errors import BackendError
from symsrv.serve import create_app
from symsrv.serve.send import FileShrunkError, read_now
from symsrv.store import Opened, Stat, open_store
from tests.made.pe_builder import build_pe
from tests.serve.site import BIG, publish


def test_a_file_replaced_while_it_is_sent_is_sent_as_it_was(site, descriptors):
    whole = build_pe().ljust(2_000_000, b"a")
    site.publish(("app.exe", whole))
    path = site.root / "app.exe/0A1B2C3D3000/app.exe"
    site.get("/app.exe/0A1B2C3D3000/app.exe", method="HEAD")
    before = descriptors()
    bodies = []

    async def send(message):
        if message["type"] == "http.response.body":
            bodies.append(message["body"])
            if len(bodies) == 2:
                new = path.with_name("new")
                new.write_bytes(b"b" * 100)
                new.replace(path)

    site.loop.run_until_complete(ask(site.app, "/app.exe/0A1B2C3D3000/app.exe", send))

    assert b"".join(bodies) == whole
    assert descriptors() == before


def test_a_file_that_becomes_shorter_breaks_the_answer_off(site, descriptors):
    site.publish(("app.exe", build_pe().ljust(2_000_000, b"a")))
    path = site.root / "app.exe/0A1B2C3D3000/app.exe"
    site.get("/app.exe/0A1B2C3D3000/app.exe", method="HEAD")
    before = descriptors()
    messages = []

    async def send(message):
        messages.append(message)
        if len(messages) == 3:
            os.truncate(path, 600_000)

    site.loop.run_until_complete(ask(site.app, "/app.exe/0A1B2C3D3000/app.exe", send))

    assert messages[-1]["more_body"] is True  # never completed: the server closes the connection
    assert sum(len(one.get("body", b"")) for one in messages) == 600_000
    assert descriptors() == before


@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_client_that_vanishes_ends_it_quietly(shared, descriptors, caplog, after):
    before = descriptors()
    sent = []

    async def send(message):
        sent.append(message)

    shared.loop.run_until_complete(ask(shared.app, "/" + BIG, send, gone_after=lambda: len(sent) >= after))
    assert len(sent) <= after + 2

    async def fail(message):
        sent.append(message)
        if len(sent) >= after:
            raise OSError("the connection was reset")

    sent.clear()
    shared.loop.run_until_complete(ask(shared.app, "/" + BIG, fail))
    assert len(sent) == after
    assert descriptors() == before
    assert not [one for one in caplog.records if one.levelname in ("WARNING", "ERROR")]


def test_a_span_is_read_whole_or_not_at_all(site):
    (site.root / "file").write_bytes(b"0123456789")
    opened = site.store._backend.open("file")

    assert read_now(opened, 2, 5) == b"23456"
    assert read_now(opened, 0, 10) == b"0123456789"
    with pytest.raises(FileShrunkError):
        read_now(opened, 5, 6)
    opened.close()


def test_a_stream_that_gives_little_at_a_time_is_read_whole(site):
    class Little(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 3))

    stream = Opened(Stat("file", 10, 0), Little(b"0123456789"))

    assert read_now(stream, 0, 10) == b"0123456789"


def test_a_bucket_that_breaks_off_breaks_the_answer_off_quietly(site, monkeypatch, tmp_path, caplog):
    store = open_store(f"memory://{uuid.uuid4().hex}", create=True, index_url="sqlite://")
    publish(store, tmp_path / "build", ("big.exe", build_pe().ljust(1_000_000, b"z")))
    store.catch_up()

    class Breaking(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 300_000:
                raise BackendError("unavailable", "the bucket is gone", transient=True)
            return super().read(size)

    real = store.open
    monkeypatch.setattr(store, "open", lambda *where: Opened(real(*where).stat, Breaking(real(*where).stream.read())))
    app = create_app(store)
    messages = []

    async def send(message):
        messages.append(message)

    site.loop.run_until_complete(ask(app, "/" + BIG, send))

    assert messages[0]["status"] == 200
    assert messages[-1]["more_body"] is True  # never completed: the server closes the connection
    assert not [one for one in caplog.records if one.levelname in ("WARNING", "ERROR")]
    app.close()
    store.close()


async def ask(app, path, send, gone_after=lambda: False):
    asked = False

    async def receive():
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        while not gone_after():
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def sending(message):
        await asyncio.sleep(0)
        await send(message)

    scope = {"type": "http", "method": "GET", "raw_path": path.encode(), "path": path, "headers": []}
    await app(scope, receive, sending)
