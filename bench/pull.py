"""Fetching 500 files beside curl and aria2c, from nginx and from a server that answers late; memory; a long queue.

    python bench/pull.py [--quick] [--rounds 5] [--size BYTES] [--files 500] [--folder DIR] [--only PART] [--json FILE]

The files: PE, PDB and ELF (1 : 1 : 2), every one with its own id and bytes, log-spread from 20 KB to 200 MB, skewed so
that they come to the size. Every round times all programs in turn in fresh processes, each into an empty target on one
file system, after a `sync`. `symsrv pull` checks, hashes, records and publishes every file, and is durable when it
returns; so its peers are timed with a `sync` of the target's file system at their end. What is wanted was filed before.
Ratios are speed against the peer of the same round (1 is level, more is faster): median, smallest, largest.

`late`: a server that waits 50 ms before each answer; every program at the number of connections that suits it best.
`memory`: the most that symsrv had at 64 downloads. `queue`: the time for each small file while a thousand and while a
million other wants wait, in turn in the same process.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.add import _Peak
from symsrv.formats import identify_path
from symsrv.layouts import home, parse_any
from symsrv.ledger.state import open_state
from symsrv.mirror import open_upstream
from symsrv.mirror.puller import Puller
from symsrv.mirror.roster import Roster
from symsrv.mirror.settings import MirrorOptions, UpstreamOptions
from symsrv.model.wants import WantState, Wish
from symsrv.store import open_store
from tests.ingest.files import elf, pdb, pe
from tests.peers.nginx import nginx_server
from tests.peers.ports import free_port

SMALLEST, LARGEST = 20_000, 200_000_000
LATE_SECONDS = 0.05
CONNECTIONS = 16
SUITS = (8, 16, 32, 64)
MEMORY_AT = 64
QUEUES = (1_000, 1_000_000)
PARTS = ("nginx", "late", "memory", "queue")


@dataclass(frozen=True)
class Run:
    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Bench:
    folder: Path
    keys: Sequence[str]
    total: int
    rounds: int

    @property
    def tree(self) -> Path:
        return self.folder / "tree"


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="symsrv-bench-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        if (free := shutil.disk_usage(folder).free) < 3 * options.size:
            print(f"{folder} has {free >> 20} MiB free, three times the size is needed", file=sys.stderr)
            return 1
        keys = make_tree(folder / "tree", options.size, files=options.files)
        sizes = [(folder / "tree" / key).stat().st_size for key in keys]
        bench = Bench(folder, keys, sum(sizes), options.rounds)
        report: dict[str, object] = {
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "files": {"count": len(keys), "bytes": bench.total, "median_bytes": int(statistics.median(sizes))},
        }
        print(f"{len(keys)} files, {bench.total:,} bytes, median {int(statistics.median(sizes)):,} bytes")
        for part, measure in (("nginx", nginx), ("late", late), ("memory", memory), ("queue", queue)):
            if part in (options.only or PARTS):
                report[part] = measure(bench)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def make_tree(root: Path, total: int, *, files: int) -> list[str]:
    """Writes the files where a symbol server has them; returns their keys, in no order of size."""
    keys = []
    chosen = random.Random(1)
    noise = chosen.randbytes(16 << 20)
    (root / "new").mkdir(parents=True)
    for number, size in enumerate(_sizes(total, files), 1):
        ending, made = ((".exe", pe), (".pdb", pdb), (".so", elf), (".so", elf))[number % 4]
        spare = root / "new" / f"bench{number}{ending}"
        with spare.open("wb") as file:
            left = size - file.write(made(number) + os.urandom(32))
            while left > 0:
                at = chosen.randrange(len(noise) // 2)
                left -= file.write(noise[at : at + min(left, len(noise) // 2)])
        key = home(identify_path(spare)[0])
        path = root / key
        path.parent.mkdir(parents=True)
        spare.rename(path)
        keys.append(key)
    return keys


def _sizes(total: int, files: int) -> list[int]:
    """From the smallest to the largest, with ever wider steps, so that they come to about the total; mixed."""
    low, high = 1.0, 20.0

    def spread(power: float) -> list[int]:
        return [round(SMALLEST * (LARGEST / SMALLEST) ** ((place / (files - 1)) ** power)) for place in range(files)]

    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(spread(middle)) > total else (low, middle)
    found = spread(high)
    return [found[place * 7919 % files] for place in range(files)] if files % 7919 else found


# Programs


def pull(bench: Bench, url: str, connections: int) -> Run:
    """`symsrv pull --missing` into a new store, with all of it wanted."""
    place = bench.folder / "ours"
    place.mkdir()
    config = place / "symsrv.yaml"
    config.write_text(
        f"store: store\nstate: state\ndatabase: sqlite:///{place}/state.sqlite\n"
        f"mirror: {{downloads: {connections}, keep_free: 0, with_program: false}}\n"
        f"upstreams:\n  - {{name: bench, url: '{url}', packed: false, concurrency: {connections}}}\n"
    )
    store = open_store(str(place / "store"), create=True, state=place / "state")
    state = open_state(f"sqlite:///{place}/state.sqlite")
    state.wants.file(Wish(parse_any(key), who="bench") for key in bench.keys)
    state.close()
    store.close()
    run = _run([sys.executable, "-m", "symsrv", "pull", "--missing", "-c", str(config)])
    if not all((place / "store" / key).is_file() for key in bench.keys):
        raise SystemExit("symsrv has not fetched everything")
    shutil.rmtree(place)
    return run


def curl(bench: Bench, url: str, connections: int) -> Run:
    place = bench.folder / "theirs"
    place.mkdir()
    listed = "".join(f'url = "{url}/{key}"\noutput = "{place}/{key}"\n' for key in bench.keys)
    (bench.folder / "curl.txt").write_text(listed)
    words = f"curl -sSf --create-dirs --parallel --parallel-immediate --parallel-max {connections} -K"
    return _peer(bench, place, f'{words} "{bench.folder}/curl.txt"')


def aria2c(bench: Bench, url: str, connections: int) -> Run:
    place = bench.folder / "theirs"
    place.mkdir()
    listed = "".join(f"{url}/{key}\n  out={key}\n" for key in bench.keys)
    (bench.folder / "aria2.txt").write_text(listed)
    words = f"aria2c -q --file-allocation=none --auto-file-renaming=false -x1 -j{connections}"
    return _peer(bench, place, f'{words} -d "{place}" -i "{bench.folder}/aria2.txt"')


def _peer(bench: Bench, place: Path, line: str) -> Run:
    run = _run(["sh", "-c", f'{line} && sync -f "{place}"'])
    if not all((place / key).is_file() for key in bench.keys):
        raise SystemExit(f"{line.split()[0]} has not fetched everything")
    shutil.rmtree(place)
    return run


PROGRAMS: dict[str, Callable[[Bench, str, int], Run]] = {"curl": curl, "aria2c": aria2c, "symsrv pull": pull}


def _run(command: Sequence[str]) -> Run:
    os.sync()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        peak = _Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:5]} ended with {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, peak.ended())


# Servers


@contextmanager
def from_nginx(tree: Path) -> Iterator[str]:
    """nginx over the files, with two workers and sendfile."""
    with tempfile.TemporaryDirectory(prefix="symsrv-nginx-") as made:
        Path(made).chmod(0o755)
        config = f"server {{ listen 80; root {tree}; sendfile on; tcp_nopush on; access_log off; }}"
        with nginx_server(shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"), Path(made), config) as where:
            host, port = where
            yield f"http://{host}:{port}"


@contextmanager
def from_late(tree: Path) -> Iterator[str]:
    """A process that answers each request 50 ms late."""
    port = free_port()
    command = [sys.executable, __file__, "--serve-late", str(tree), str(port)]
    with subprocess.Popen(command) as process:
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            if subprocess.run(["curl", "-s", "-o", "/dev/null", url], check=False).returncode == 0:
                break
            time.sleep(0.05)
        try:
            yield url
        finally:
            process.kill()


async def serve_late(tree: Path, port: int) -> None:
    loop = asyncio.get_running_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                path = tree / request.split(b" ", 2)[1].decode().lstrip("/")
                await asyncio.sleep(LATE_SECONDS)
                if not path.is_file():
                    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                    continue
                size = path.stat().st_size
                head = f'HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: "{size}"\r\nAccept-Ranges: none\r\n\r\n'
                writer.write(head.encode())
                await writer.drain()
                with path.open("rb") as file:
                    await loop.sendfile(writer.transport, file)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=256)
    async with server:
        await server.serve_forever()


# Parts


def nginx(bench: Bench) -> dict[str, object]:
    """All programs at the same number of connections."""
    runs: dict[str, list[Run]] = {name: [] for name in PROGRAMS}
    with from_nginx(bench.tree) as url:
        for number in range(bench.rounds + 1):
            for name, program in PROGRAMS.items():
                run = program(bench, url, CONNECTIONS)
                if number:  # the first one warms the caches
                    runs[name].append(run)
    print(f"\nfrom nginx, {CONNECTIONS} connections:")
    return show(runs)


def late(bench: Bench) -> dict[str, object]:
    """Each program at the number of connections at which it was fastest in a first round."""
    with from_late(bench.tree) as url:
        suits = {}
        for name, program in PROGRAMS.items():
            first = {count: program(bench, url, count).seconds for count in SUITS}
            suits[name] = min(first, key=lambda count: first[count])
            print(f"late: {name} by connections: " + ", ".join(f"{n}: {first[n]:.2f} s" for n in SUITS), flush=True)
        runs: dict[str, list[Run]] = {name: [] for name in PROGRAMS}
        for _ in range(bench.rounds):
            for name, program in PROGRAMS.items():
                runs[name].append(program(bench, url, suits[name]))
    print("\nfrom a server that answers 50 ms late, at the best number of connections of each:")
    return {"connections": suits, **show(runs)}


def memory(bench: Bench) -> dict[str, object]:
    """What 64 downloads at once take."""
    with from_nginx(bench.tree) as url:
        run = pull(bench, url, MEMORY_AT)
    print(f"\n{MEMORY_AT} downloads at once: {run.peak_bytes / 2**20:.0f} MiB at the most, {run.seconds:.2f} s")
    return vars(run)


def queue(bench: Bench) -> dict[str, object]:
    """The time for each small file, by how many others wait."""
    small = sorted(bench.keys, key=lambda key: (bench.tree / key).stat().st_size)[:100]
    places = {count: _Waiting(bench.folder / f"queue-{count}", count) for count in QUEUES}
    times: dict[int, list[float]] = {count: [] for count in QUEUES}
    with from_nginx(bench.tree) as url:
        for number in range(2 * bench.rounds + 1):
            for count, place in places.items():
                seconds = place.pull(url, small)
                if number:
                    times[count].append(1000 * seconds / len(small))
    few, many = (statistics.median(times[count]) for count in QUEUES)
    ratios = sorted(late_ / early for early, late_ in zip(*times.values(), strict=True))
    print(
        f"\nfor each file: {few:.2f} ms while {QUEUES[0]:,} wait, {many:.2f} ms while {QUEUES[1]:,} do;"
        f" ratio {many / few:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    )
    for place in places.values():
        place.close()
    return {"few_ms": few, "many_ms": many, "ratio": many / few, "low": ratios[0], "high": ratios[-1]}


class _Waiting:
    """A store and a state in which many wants wait that are less wanted than those that are fetched."""

    def __init__(self, folder: Path, count: int) -> None:
        self.store = open_store(str(folder / "store"), create=True, state=folder / "state")
        self.state = open_state(f"sqlite:///{folder}/state.sqlite")
        for first in range(0, count, 20_000):
            keys = (
                f"w{number}.pdb/{number:032X}1/w{number}.pdb" for number in range(first, min(count, first + 20_000))
            )
            self.state.wants.file(Wish(parse_any(key)) for key in keys)

    def pull(self, url: str, keys: Sequence[str]) -> float:
        """Fetches some, more wanted than all others; how long it took. Then they are gone again."""
        numbers = self.state.wants.file(Wish(parse_any(key), count=1000) for key in keys)
        upstream = UpstreamOptions(
            name="bench", url=url, packed=False, concurrency=CONNECTIONS, block=({"name": "w*.pdb"},)
        )
        done = threading.Semaphore(0)
        puller = Puller(
            self.store,
            self.state,
            Roster(self.state, lambda: [upstream], open_upstream),
            options=MirrorOptions(downloads=CONNECTIONS, keep_free=0, with_program=False),
            told=lambda one: done.release() if one.here else None,
        )
        stop = threading.Event()
        began = time.perf_counter()
        thread = threading.Thread(target=puller.run, args=(stop,))
        thread.start()
        for _ in keys:
            if not done.acquire(timeout=120):
                raise SystemExit("what was wanted did not come")
        seconds = time.perf_counter() - began
        stop.set()
        thread.join()
        self.store.delete([one.number for one in self.store.history() if one.kind == "add" and not one.deleted_by])
        self.state.wants.forget(numbers=numbers)
        self.state.wants.wake(
            numbers=[one.id for one in self.state.wants.list(states=(WantState.RESTING,), limit=9999)]
        )
        return seconds

    def close(self) -> None:
        self.state.close()
        self.store.close()


def show(runs: dict[str, list[Run]]) -> dict[str, object]:
    """Prints seconds, processor and memory of each program, and our ratio to each peer."""
    print(f"{'':14} {'seconds':>22} {'CPU s':>8} {'peak MiB':>9}")
    for name, found in runs.items():
        seconds = [run.seconds for run in found]
        cpu = statistics.median(run.cpu_seconds for run in found)
        spread = f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"{name:14} {spread:>22} {cpu:8.2f} {max(run.peak_bytes for run in found) / 2**20:9.0f}")
    ratios = {}
    for name in ("curl", "aria2c"):
        each = sorted(peer.seconds / ours.seconds for peer, ours in zip(runs[name], runs["symsrv pull"], strict=True))
        ratios[name] = each
        print(f"speed against {name}: {statistics.median(each):.2f} ({each[0]:.2f} to {each[-1]:.2f})", flush=True)
    return {"runs": {name: [vars(run) for run in found] for name, found in runs.items()}, "ratios": ratios}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="128 MiB, 100 files, two rounds")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--size", type=int)
    parser.add_argument("--files", type=int)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    standard = {"rounds": 5, "size": 2 << 30, "files": 500}
    quick = {"rounds": 2, "size": 128 << 20, "files": 100}
    for name, value in (quick if options.quick else standard).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve-late"]:
        asyncio.run(serve_late(Path(sys.argv[2]), int(sys.argv[3])))
    sys.exit(main())
