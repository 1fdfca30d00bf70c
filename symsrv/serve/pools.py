"""Three thread pools of our own, and the rule where each kind of work is done.

In the loop: only what ends in about a millisecond on a local disk (parse, find, open, one read of 256 KiB), because a
hop to a thread and back costs 107 µs. `io`: buckets and network disks. `cpu`: hashing, sections. `state`: what scripts
ask of the missing list. Never anyio's shared forty threads: a slow bucket must not starve hits.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
IO_THREADS = 16
CPU_THREADS = 2
STATE_THREADS = 8


class Pools:
    """The pools of one process; they are made when the app is, and shut down with it."""

    def __init__(self, *, io_threads: int = IO_THREADS, cpu_threads: int = CPU_THREADS) -> None:
        self.io = ThreadPoolExecutor(io_threads, thread_name_prefix="symsrv-io")
        self.cpu = ThreadPoolExecutor(cpu_threads, thread_name_prefix="symsrv-cpu")

        self.state = ThreadPoolExecutor(STATE_THREADS, thread_name_prefix="symsrv-state")

    async def in_io(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does work that waits for a disk or a network."""
        return await _result(self.io.submit(work, *arguments))

    async def in_cpu(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does work that computes."""
        return await _result(self.cpu.submit(work, *arguments))

    async def in_state(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does work that reads or writes the state."""
        return await _result(self.state.submit(work, *arguments))

    def close(self) -> None:
        """Lets running work end and drops what has not begun. What uses the state is waited for.

        SQLite's connections must not be closed under who uses them.
        """
        self.state.shutdown(wait=True, cancel_futures=True)
        self.io.shutdown(wait=False, cancel_futures=True)
        self.cpu.shutdown(wait=False, cancel_futures=True)


async def _result(future: "Future[T]") -> T:
    try:
        # Shielded: a vanished client ends the wait, never the work.
        return await asyncio.shield(asyncio.wrap_future(future))
    except asyncio.CancelledError:
        future.add_done_callback(_close_result)
        raise


def _close_result(future: "Future[Any]") -> None:
    """Closes what came after nobody waited for it any longer."""
    if future.cancelled() or future.exception() is not None:
        return
    result = future.result()
    for one in result if isinstance(result, tuple) else (result,):
        if hasattr(one, "close"):
            one.close()
