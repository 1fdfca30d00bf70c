"""A symsrv that serves, as a process of its own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Running:
    """A process with the URL that it said it serves at, and what it said."""

    process: subprocess.Popen
    url: str = ""
    said: list[str] = field(default_factory=list)

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"{self.url}/{path}", timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def wait_for(self, path: str, seconds: float = 30) -> bytes:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            status, body = self.get(path)
            if status == 200:
                return body
            time.sleep(0.1)
        raise AssertionError(f"{path} did not come: {self.said}")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@contextlib.contextmanager
def running(*arguments: object) -> Iterator[Running]:
    command = [sys.executable, "-m", "symsrv", *map(str, arguments), "--listen", "127.0.0.1:0"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    one = Running(process)
    ready = threading.Event()

    def listen() -> None:
        for line in process.stderr:
            one.said.append(line.rstrip("\n"))
            if found := re.search(r"^serving .* at (http://\S+)", line):
                one.url = found[1]
                ready.set()
        ready.set()

    listening = threading.Thread(target=listen)
    listening.start()
    try:
        ready.wait(60)
        assert one.url, one.said
        yield one
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        listening.join()
        process.stdout.close()
        process.stderr.close()
