"""Programs of others, run within bounds and never through a shell; when one goes too far, all of it is ended.

What it may read of our environment is little: tokens that symsrv was given there are not its business.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

KEPT_BYTES = 2048
"""What is kept of what it says on each output: the first half, and the last."""

_FIRST_LOOK_SECONDS = 0.01
_LOOK_SECONDS = 0.25
_ENDING_SECONDS = 5.0
_PASSED_ON = ("PATH", "SYSTEMROOT", "SystemRoot", "COMSPEC", "PATHEXT", "LANG", "TZ")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a program may go; None is without a bound.

    `idle_seconds` counts the time in which it neither used the processor nor wrote into its folder, so a large job may
    take as long as it gets on. `output_bytes` is how much its folder may grow. What a system cannot tell of another
    process's processor time is bounded by `cpu_seconds` on the clock, and `memory_bytes` holds on Linux alone.
    """

    idle_seconds: float | None = None
    cpu_seconds: float | None = None
    total_seconds: float | None = None
    memory_bytes: int | None = None
    output_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it. `overrun` names the bound that it was ended at: `idle`, `cpu`, `total`, `output`.

    Of both its outputs a little is kept.
    """

    code: int
    stderr: str
    stdout: str
    overrun: str | None = None

    @property
    def done(self) -> bool:
        """Whether it ended by itself and says that it did what it was told."""
        return self.overrun is None and self.code == 0

    def __str__(self) -> str:
        said = " ".join(self.stderr.split())
        how = f"ended by signal {-self.code}" if self.code < 0 else f"exit code {self.code}"
        return f"{how}: {said}" if said else how


def run(
    command: Sequence[str],
    folder: Path,
    *,
    bounds: Bounds,
    stdin: bytes = b"",
    heard: Callable[[], object] | None = None,
) -> Ran:
    """Runs a program in a folder and waits for its end, or ends it and whatever it started at the first bound.

    `heard` is called now and then while it runs. Raises OSError if it cannot be started, and what `heard` raises: on
    any exception (an interrupt) it is ended, too.
    """
    before = size_below(folder)
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=_environment(folder),
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **_APART,
        )
    said = [_Said(stream) for stream in (process.stderr, process.stdout) if stream is not None]
    try:
        _limit(process.pid, bounds)
        overrun = _watch(process, folder, before=before, bounds=bounds, heard=heard)
    finally:
        _end(process)
        for one in said:
            one.close()
    if -process.returncode == getattr(signal, "SIGXFSZ", None):
        overrun = "output"
    stderr, stdout = (one.text() for one in said)
    return Ran(process.returncode, stderr, stdout, overrun)


_APART = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if sys.platform == "win32"
    else {"start_new_session": True}
)


def _environment(folder: Path) -> dict[str, str]:
    """Home and temporary folder are its own: a tool must not go by what a user has configured for himself."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    own = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TMP", "TEMP"), str(folder))
    return {"LC_ALL": "C.UTF-8", **kept, **own}


def _limit(pid: int, bounds: Bounds) -> None:
    """What the kernel can hold it to, where it can be told so from outside."""
    try:
        import resource

        prlimit = resource.prlimit
    except (ImportError, AttributeError):
        return
    limits = {resource.RLIMIT_CORE: 0}
    if bounds.memory_bytes is not None:
        limits[resource.RLIMIT_DATA] = bounds.memory_bytes
    if bounds.output_bytes is not None:
        limits[resource.RLIMIT_FSIZE] = bounds.output_bytes + 1  # so that one who minds it is seen to have met it
    for what, most in limits.items():
        with suppress(OSError, ValueError):  # it has ended already; a hard limit is lower
            prlimit(pid, what, (most, most))


def _watch(
    process: "subprocess.Popen[bytes]",
    folder: Path,
    *,
    before: int,
    bounds: Bounds,
    heard: Callable[[], object] | None,
) -> str | None:
    """Waits for the end; the bound that was reached before it. `before` is what was in the folder at first."""
    started = moved = time.monotonic()
    seen: tuple[float | None, int] = (None, before)
    pause = _FIRST_LOOK_SECONDS
    while not _has_ended(process):
        time.sleep(pause)
        pause = min(2 * pause, _LOOK_SECONDS)
        if heard is not None:
            heard()
        now = time.monotonic()
        here = (_cpu_seconds(process.pid), size_below(folder))
        if here != seen:
            seen, moved = here, now
        used = here[0]
        limits = {
            "total": (now - started, bounds.total_seconds),
            "cpu": (now - started if used is None else used, bounds.cpu_seconds),
            "idle": (0.0 if used is None else now - moved, bounds.idle_seconds),
            "output": (here[1] - before, bounds.output_bytes),
        }
        for name, (reached, most) in limits.items():
            if most is not None and reached > most:
                return name
    grown = size_below(folder) - before
    return "output" if bounds.output_bytes is not None and grown > bounds.output_bytes else None


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether it has ended; where that can be asked without burying it, its id is still its own then."""
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    return process.poll() is not None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends it with all that it started, whether it is still there or not."""
    if sys.platform == "win32":
        if process.poll() is None:
            with suppress(OSError, subprocess.SubprocessError):
                tree = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
                subprocess.run(tree, capture_output=True, timeout=_ENDING_SECONDS, check=False)
            with suppress(OSError):
                process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def size_below(folder: Path) -> int:
    """The bytes of all files in a folder and below; links count as themselves."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118
    return total


def _cpu_seconds(session: int) -> float | None:
    """The processor time that a session's processes used so far; None where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    ticks = 0
    found = False
    for pid in os.listdir("/proc"):  # noqa: PTH208 - names are enough
        if not pid.isdecimal():
            continue
        with suppress(OSError, ValueError, IndexError):
            fields = Path("/proc", pid, "stat").read_bytes().rpartition(b")")[2].split()
            if int(fields[3]) == session:  # proc(5): state, ppid, pgrp, session, …; 14 to 17 are the times
                found = True
                ticks += sum(int(one) for one in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK") if found else None


class _Said:
    """Drains a pipe in a thread of its own, and keeps a little of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._first, self._last = b"", b""
        self._thread = threading.Thread(target=self._drain, name="said", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        half = KEPT_BYTES // 2
        with suppress(OSError, ValueError):
            while block := os.read(self._stream.fileno(), 1 << 16):
                room = half - len(self._first)
                self._first += block[:room]
                self._last = (self._last + block[room:])[-half:]

    def close(self) -> None:
        """Waits for what is left in the pipe; who fled with its other end is not waited for."""
        self._thread.join(_ENDING_SECONDS)
        if not self._thread.is_alive():
            self._stream.close()

    def text(self) -> str:
        """What was kept."""
        return (self._first + self._last).decode("utf-8", "replace").strip()
