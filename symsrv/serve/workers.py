"""Several worker processes behind one socket: started, replaced when one dies, ended by the first signal."""

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

_POLL_SECONDS = 0.2
_HASTY_SECONDS = 1.0  # who dies sooner than this after its start will not do better at once

logger = logging.getLogger(__name__)


def supervise(work: Callable[..., None], arguments: tuple[Any, ...], count: int) -> int | None:
    """Keeps `count` processes at work until a signal comes, and returns its number; the second one kills."""
    signals: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        signals.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    # Spawned, not forked: nothing that this process has open or locked is to be shared.
    spawning = multiprocessing.get_context("spawn")

    def start() -> BaseProcess:
        process = spawning.Process(target=work, args=arguments)
        process.start()
        return process

    workers: list[BaseProcess] = []
    try:
        for _ in range(count):
            workers.append(start())  # one by one: when one cannot be started, those before it are ended
        while not signals:
            time.sleep(_POLL_SECONDS)
            for place, worker in enumerate(workers):
                if not worker.is_alive() and not signals:
                    logger.error("a worker died", extra={"pid": worker.pid, "exit_code": worker.exitcode})
                    time.sleep(_HASTY_SECONDS)
                    workers[place] = start()
        for worker in workers:
            worker.terminate()
        while any(worker.is_alive() for worker in workers):
            if len(signals) > 1:
                for worker in workers:
                    worker.kill()
            time.sleep(_POLL_SECONDS / 4)
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.kill()
            worker.join()
        for number, handler in before.items():
            signal.signal(number, handler)
    return signals[0]
