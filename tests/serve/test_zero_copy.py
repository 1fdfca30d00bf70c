"""The kernel copies from the file to the socket: in order, whole, and not for ever."""

import asyncio
import contextlib
import os
import socket

import pytest

from symsrv.serve import zero_copy
from symsrv.serve.zero_copy import FileEndedError, pump

pytestmark = pytest.mark.skipif(not zero_copy.AVAILABLE, reason="no sendfile here")
DATA = os.urandom(3 << 20)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "file").write_bytes(DATA)
    descriptor = os.open(tmp_path / "file", os.O_RDWR)
    yield descriptor
    os.close(descriptor)


@contextlib.asynccontextmanager
async def connected(*, buffer_bytes=None):
    """A transport as the server has it, and the client's socket."""
    server, client = socket.socketpair()
    for end in (server, client):
        end.setblocking(False)
        if buffer_bytes:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=server)
    try:
        yield transport, client
    finally:
        transport.abort()
        client.close()
        await asyncio.sleep(0)


async def taken(client, count, *, seconds=0.0):
    loop, data = asyncio.get_running_loop(), bytearray()
    while len(data) < count and (part := await loop.sock_recv(client, 50_000)):
        data += part
        await asyncio.sleep(seconds)
    return bytes(data)


@pytest.mark.parametrize(("offset", "count"), [(0, len(DATA)), (0, 1), (12_345, 2 << 20), (len(DATA) - 1, 1)])
def test_a_span_arrives_whole_after_what_was_written_before(file, offset, count):
    async def run():
        async with connected() as (transport, client):
            head = b"h" * 500_000  # more than the socket holds: the transport keeps the rest
            transport.write(head)
            reading = asyncio.ensure_future(taken(client, len(head) + count))
            await pump(transport, file, offset, count, stall_seconds=10)
            return (await asyncio.wait_for(reading, 10)).removeprefix(head)

    assert asyncio.run(run()) == DATA[offset : offset + count]


def test_the_file_is_not_moved_in_and_nothing_stays_open(file, descriptors):
    before = descriptors()

    async def run():
        async with connected() as (transport, client):
            reading = asyncio.ensure_future(taken(client, 1000))
            await pump(transport, file, 5, 1000, stall_seconds=10)
            await reading

    asyncio.run(run())

    assert os.lseek(file, 0, os.SEEK_CUR) == 0
    assert descriptors() == before


def test_a_file_with_fewer_bytes_is_told(file):
    os.ftruncate(file, 1000)

    async def run():
        async with connected() as (transport, client):
            reading = asyncio.ensure_future(taken(client, 1000))
            with pytest.raises(FileEndedError):
                await pump(transport, file, 0, 1001, stall_seconds=10)
            return await reading

    assert asyncio.run(run()) == DATA[:1000]


def test_a_client_that_takes_nothing_is_given_up(file):
    async def run():
        async with connected(buffer_bytes=5000) as (transport, _client):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pump(transport, file, 0, len(DATA), stall_seconds=0.1), 10)

    asyncio.run(run())


def test_a_client_that_is_slower_than_the_patience_but_takes_something_gets_all(file):
    async def run():
        async with connected(buffer_bytes=5000) as (transport, client):
            reading = asyncio.ensure_future(taken(client, 400_000, seconds=0.08))
            await pump(transport, file, 0, 400_000, stall_seconds=0.5)
            return await reading

    assert asyncio.run(run()) == DATA[:400_000]


def test_a_client_that_is_gone_ends_it(file):
    async def run():
        async with connected(buffer_bytes=5000) as (transport, client):
            client.close()
            with pytest.raises(OSError, match=r".") as told:
                await asyncio.wait_for(pump(transport, file, 0, len(DATA), stall_seconds=10), 10)
            assert not isinstance(told.value, TimeoutError | FileEndedError)

    asyncio.run(run())
