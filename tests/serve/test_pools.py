"""Our own threads: who waits may go away, what was opened is closed."""

import asyncio
import threading

import pytest

from symsrv.serve.pools import Pools


@pytest.fixture
def pools():
    made = Pools(io_threads=1, cpu_threads=1)
    yield made
    made.close()


def test_work_is_done_in_the_pool_it_was_given_to(pools):
    async def names():
        current = threading.current_thread
        return [(await pool(current)).name for pool in (pools.in_io, pools.in_cpu)]

    io, cpu = asyncio.run(names())

    assert io.startswith("symsrv-io")
    assert cpu.startswith("symsrv-cpu")


def test_a_busy_pool_does_not_hold_up_the_other(pools):
    free = threading.Event()

    async def both():
        slow = asyncio.ensure_future(pools.in_io(free.wait, 10))
        quick = await asyncio.wait_for(pools.in_cpu(int, "7"), 5)
        free.set()
        return quick, await slow

    assert asyncio.run(both()) == (7, True)


def test_what_fails_there_fails_here(pools):
    async def fail():
        await pools.in_cpu(int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        asyncio.run(fail())


@pytest.mark.parametrize("several", [False, True])
def test_what_is_opened_after_its_client_went_is_closed(pools, tmp_path, several):
    (tmp_path / "file").write_bytes(b"x")
    begun, free = threading.Event(), threading.Event()
    opened = []

    def work():
        begun.set()
        free.wait(10)
        opened.append((tmp_path / "file").open("rb"))
        return (*opened, "and more") if several else opened[0]

    async def vanish():
        waiting = asyncio.ensure_future(pools.in_io(work))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        free.set()

    asyncio.run(vanish())
    pools.io.shutdown(wait=True)

    assert opened[0].closed


def test_work_that_fails_or_never_begins_after_its_client_went_does_no_harm(pools):
    begun, free = threading.Event(), threading.Event()

    def fail():
        begun.set()
        free.wait(10)
        raise ValueError("nobody hears this")

    async def vanish():
        waiting = [asyncio.ensure_future(pools.in_io(fail)) for _ in range(2)]
        while not begun.is_set():
            await asyncio.sleep(0.001)
        for one in waiting:
            one.cancel()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        pools.close()
        free.set()
        return ends

    assert [type(end) for end in asyncio.run(vanish())] == [asyncio.CancelledError] * 2
    pools.io.shutdown(wait=True)


def test_a_closed_pool_takes_no_more_work(pools):
    pools.close()

    async def late():
        await pools.in_io(int)

    with pytest.raises(RuntimeError):
        asyncio.run(late())


def test_what_uses_the_state_is_waited_for():
    pools = Pools(io_threads=1, cpu_threads=1)
    begun, free, ended = threading.Event(), threading.Event(), []

    def work():
        begun.set()
        assert free.wait(10)
        ended.append(True)

    async def run():
        task = asyncio.ensure_future(pools.in_state(work))
        await asyncio.to_thread(begun.wait, 10)
        threading.Timer(0.05, free.set).start()
        await asyncio.to_thread(pools.close)
        assert ended == [True]
        await task

    asyncio.run(run())
