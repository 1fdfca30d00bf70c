"""How fast symsrv serves, beside nginx and elfutils' debuginfod, in the same rounds.

    python bench/serve.py [--rounds 5] [--seconds 3] [--million] [--json FILE]

One worker each, wrk with 2 threads; it shares the cores with the servers. In each round every server answers every
question in turn, from a fresh start, after a second of warm-up. Shown: the median over the rounds with the smallest and
the largest, and the ratio to nginx in the same round. nginx serves the bare store with `sendfile`, without logs; it
knows exact paths only. debuginfod answers its own path for an ELF of the same size. CPU is the server's own, user and
system, per GiB that arrived; memory is the largest resident set while 32 connections ask.

`--million` puts a million files into the index beside the real ones: what a lookup costs shows in the misses.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from symsrv.formats import identify_path
from symsrv.layouts import home
from symsrv.model.identity import Identity
from symsrv.model.ids import DEBUG, SymbolId
from symsrv.model.records import StoredFile
from symsrv.serve import create_app, serve
from symsrv.store import Draft, Offer, SymbolStore, open_store
from tests.made.elf_builder import BUILD_ID, build_elf
from tests.made.pe_builder import build_pe

SMALL = 24 * 1024
BIG = 200 << 20
MILLION = 1_000_000
PATHS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
GIB = 1 << 30


@dataclass(frozen=True)
class Question:
    """What wrk asks: `lua` sets headers; `per_second` counts requests, otherwise bytes."""

    name: str
    path: str
    connections: int
    per_second: bool
    range: str = ""
    only: tuple[str, ...] = ("symsrv", "nginx")


@dataclass
class Figures:
    """What came out, by server, one value a round."""

    rate: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    rss: dict[str, list[float]] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--million", action="store_true", help="a million rows in the index")
    parser.add_argument("--json", type=Path, help="write every round's figures here")
    parser.add_argument("--serve", nargs=3, metavar=("ROOT", "STATE", "PORT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        root, state, port = arguments.serve
        serve(create_app(open_store(root, state=Path(state))), port=int(port))
        return
    if not shutil.which("wrk") or not shutil.which("nginx", path=PATHS):
        sys.exit("bench/serve.py needs wrk and nginx; tests/interop/install.sh installs them")
    with tempfile.TemporaryDirectory(prefix="symsrv-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        questions = build(place, million=arguments.million)
        results = {one.name: Figures() for one in questions}
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
            for question in questions:
                for name in question.only:
                    measure(place, name, question, results[question.name], seconds=arguments.seconds)
    report(questions, results, million=arguments.million)
    if arguments.json:
        record = {name: vars(figures) for name, figures in results.items()}
        arguments.json.write_text(json.dumps({"machine": machine(), "questions": record}, indent=1))


def build(place: Path, *, million: bool) -> list[Question]:
    """A store with a small and a big PE and an ELF, and what to ask of it."""
    store = open_store(str(place / "store"), create=True, state=place / "state")
    files = {
        "small.exe": build_pe().ljust(SMALL, b"\x5a"),
        "big.exe": build_pe().ljust(BIG, b"\xa5"),
        "lib.so": build_elf(),
    }
    files["lib.so"] += bytes(SMALL - len(files["lib.so"]))
    (place / "build").mkdir()
    homes = publish(store, place / "build", files)
    shutil.copy(place / "build/lib.so", elf_folder(place))
    if million:
        store.index.put_files(one_of_a_million(number) for number in range(MILLION))
    store.close()
    long = homes["big.exe"]
    debuginfod = ("symsrv", "debuginfod") if shutil.which("debuginfod") else ("symsrv",)
    return [
        Question("24 KB file", homes["small.exe"], 32, per_second=True),
        Question("miss", "nothing.exe/0A1B2C3D4000/nothing.exe", 32, per_second=True),
        Question("miss, known name", "small.exe/0A1B2C3D4000/small.exe", 32, per_second=True),
        Question("24 KB by build id", f"buildid/{BUILD_ID.hex()}/executable", 32, per_second=True, only=debuginfod),
        Question("200 MB whole", long, 16, per_second=False),
        Question("200 MB, bytes=0-134217727", long, 16, per_second=False, range="bytes=0-134217727"),
        Question("200 MB, 32 connections", long, 32, per_second=False),
    ]


def elf_folder(place: Path) -> Path:
    folder = place / "elf"
    folder.mkdir(exist_ok=True)
    return folder


def publish(store: SymbolStore, folder: Path, files: dict[str, bytes]) -> dict[str, str]:
    offers = []
    for name, data in files.items():
        path = folder / name
        path.write_bytes(data)
        identities = identify_path(path)
        staged = store.stage(path)
        offers.append(Offer(path, name, home(identities[0]), staged.size, staged.sha256, identities, staged))
    store.commit(Draft(tuple(offers)))
    return {offer.source: offer.home for offer in offers}


def one_of_a_million(number: int) -> StoredFile:
    value = f"{number:032x}1"
    name = f"module{number % 20_000}.pdb"
    identity = Identity("pdb", "debug", name, (SymbolId(DEBUG, value),))
    return StoredFile(f"{name}/{value.upper()}/{name}", 1000, "0" * 64, 0, (identity,))


def measure(place: Path, name: str, question: Question, figures: Figures, *, seconds: float) -> None:
    with running(place, name) as (process, port):
        pids = workers(process)
        script = place / "ask.lua"
        script.write_text(f'wrk.headers["Range"] = "{question.range}"\n' if question.range else "")
        url = f"http://127.0.0.1:{port}/{question.path}"
        wrk(url, question, script, 1)
        before, begun = cpu_seconds(pids), time.monotonic()
        requests, sent = wrk(url, question, script, seconds)
        took = time.monotonic() - begun
        used = cpu_seconds(pids) - before
        peak = sum(peak_mib(pid) for pid in pids)
    figures.rate.setdefault(name, []).append(requests / took if question.per_second else sent / took / (1 << 20))
    figures.cpu.setdefault(name, []).append(used / (sent / GIB) if sent else 0.0)
    figures.rss.setdefault(name, []).append(peak)


@contextlib.contextmanager
def running(place: Path, name: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A fresh server of one kind."""
    port = free_port()
    environment = dict(os.environ)
    if name == "symsrv":
        command = [sys.executable, __file__, "--serve", str(place / "store"), str(place / "state"), str(port)]
    elif name == "nginx":
        command = [shutil.which("nginx", path=PATHS) or "nginx", "-c", nginx_conf(place, port), "-e", os.devnull]
    else:
        environment |= {"DEBUGINFOD_URLS": "", "HOME": str(place), "XDG_CACHE_HOME": str(place / "cache")}
        command = ["debuginfod", "-p", str(port), "-d", ":memory:", "-F", "-t", "0", "-g", "0", str(elf_folder(place))]
    with (place / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        path = f"buildid/{BUILD_ID.hex()}/executable" if name == "debuginfod" else "pingme.txt"
        wait_for(f"http://127.0.0.1:{port}/{path}", process)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def nginx_conf(place: Path, port: int) -> str:
    conf = place / "nginx.conf"
    temporary = "".join(
        f"{one}_temp_path {place}/{one};\n" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf.write_text(
        f"worker_processes 1;\ndaemon off;\nuser {os.environ.get('USER', 'root')};\npid {place}/nginx.pid;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{\n{temporary}access_log off;\nsendfile on;\ntcp_nopush on;\n"
        f"types {{ }}\ndefault_type application/octet-stream;\nkeepalive_requests 100000000;\n"
        f"server {{\nlisten 127.0.0.1:{port};\nroot {place}/store;\nlog_not_found off;\n}}\n}}\n"
    )
    return str(conf)


def wrk(url: str, question: Question, script: Path, seconds: float) -> tuple[int, int]:
    """Requests answered and bytes received."""
    command = [
        "wrk",
        "-t2",
        f"-c{question.connections}",
        f"-d{max(1, round(seconds))}s",
        "--timeout",
        "60s",
        "-s",
        str(script),
        url,
    ]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+) requests in [\d.]+\w+, ([\d.]+)(B|KB|MB|GB|TB) read", out)
    if found is None or "Socket errors" in out:
        raise RuntimeError(out)
    unit = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}[found[3]]
    return int(found[1]), int(float(found[2]) * unit)


def workers(process: "subprocess.Popen[bytes]") -> list[int]:
    """The processes that a server is made of."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [process.pid, *map(int, children)]


def cpu_seconds(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mib(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as response:
            response.read()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not answer {url}")


def report(questions: list[Question], results: dict[str, Figures], *, million: bool) -> None:
    print(f"{machine()}{', a million files in the index' if million else ''}")
    print("| question | server | rate | ratio, same round | CPU s/GiB | its ratio | peak RSS MiB |")
    print("|---|---|---|---|---|---|---|")
    for question in questions:
        figures = results[question.name]
        base = question.only[1] if len(question.only) > 1 else question.only[0]
        for name in question.only:
            unit = "/s" if question.per_second else " MiB/s"
            ratios = [mine / other for mine, other in zip(figures.rate[name], figures.rate[base], strict=True)]
            costs = [mine / (other or 1e-9) for mine, other in zip(figures.cpu[name], figures.cpu[base], strict=True)]
            cpu = [] if question.per_second else figures.cpu[name]
            cells = [
                spread(figures.rate[name], "{:.0f}") + unit,
                spread(ratios),
                spread(cpu),
                spread(costs) if cpu else "",
                f"{max(figures.rss[name]):.0f}",
            ]
            print(f"| {question.name} | {name} | {' | '.join(cells)} |")


def spread(values: list[float], form: str = "{:.2f}") -> str:
    if not values:
        return ""
    low, middle, high = (form.format(one) for one in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low}..{high})"


def machine() -> str:
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
