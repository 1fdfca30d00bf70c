"""Publishing a tree of build output, beside `cp -r` and the Python symstore package; and the 20,000th transaction.

    python bench/add.py [--quick] [--rounds 5] [--size BYTES] [--transactions 20000] [--folder DIR] [--json FILE]

The tree: PE, PDB and ELF files (1 : 1 : 2), every one with its own id and its own bytes, 25 KB to 200 MB, the median
near 230 KB. Every round times all programs in turn in fresh processes, each into an empty target on the tree's file
system, after a `sync`; what it wrote is removed outside of the time. `symsrv add` is durable when it returns, so its
peer is `cp -r` and then `sync`. The Python symstore package publishes the PE and PDB files in one transaction; it
neither hashes nor syncs. Ratios are speed against the peer of the same round (1 is level, more is faster): median,
smallest, largest. The last part commits small files one by one through the API, and compares a store that has many
transactions with a fresh one, commit for commit in turn.
"""

import argparse
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from symsrv.ingest import Source, publish
from symsrv.store import SymbolStore, open_store
from tests.ingest.files import elf, pdb, pe

SMALLEST, LARGEST = 25_000, 200_000_000
SYMSTORE = """
import os, sys
from symstore import Store
store = Store(sys.argv[1])
transaction = store.new_transaction("bench", "1", "")
for folder in ("pe", "pdb"):
    for where, _, names in os.walk(os.path.join(sys.argv[2], folder)):
        for name in sorted(names):
            transaction.add_entry(transaction.new_entry(os.path.join(where, name), False))
store.commit(transaction)
found = sum(len(names) for _, _, names in os.walk(sys.argv[1]))
assert found > len(transaction.entries), "symstore drops the errors of its copies"
"""


@dataclass(frozen=True)
class Run:
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="symsrv-bench-") as made:
        folder = Path(made)
        if (free := shutil.disk_usage(folder).free) < 3 * options.size:
            print(
                f"{folder} has {free >> 20} MiB free, three times {options.size >> 20} MiB are needed", file=sys.stderr
            )
            return 1
        sizes = make_tree(folder / "tree", options.size, files=options.files)
        report = {
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "tree": {"files": len(sizes), "bytes": sum(sizes), "median_bytes": int(statistics.median(sizes))},
            "add": compare(folder, rounds=options.rounds),
        }
        print(f"tree: {len(sizes)} files, {sum(sizes):,} bytes, median {int(statistics.median(sizes)):,} bytes\n")
        show(report["add"])
        report["transactions"] = growth(folder / "growth", count=options.transactions)
        print(
            "\ntransaction {number:,} against transaction {early}: {many_ms:.2f} ms, {few_ms:.2f} ms; "
            "ratio {ratio:.2f} ({low:.2f} to {high:.2f} by quarters of {samples} pairs)".format(
                **report["transactions"]
            )
        )
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def make_tree(root: Path, total: int, *, files: int) -> list[int]:
    """Writes the tree; returns the sizes."""
    chosen = random.Random(1)
    noise = chosen.randbytes(16 << 20)
    sizes = _sizes(chosen, total, files)
    for number, size in enumerate(sizes, 1):
        kind = ("pe", "pdb", "elf", "elf")[number % 4]
        head = {"pe": pe, "pdb": pdb, "elf": elf}[kind](number)
        path = root / kind / f"part{number % 40:02}" / f"{kind}{number}{'.so' if kind == 'elf' else f'.{kind}'}"
        path = path.with_suffix(".exe") if kind == "pe" else path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(head + os.urandom(32))
            left = size - len(head) - 32
            while left > 0:
                at = chosen.randrange(len(noise) // 2)
                left -= file.write(noise[at : at + min(left, len(noise) // 2)])
    return sizes


def _sizes(chosen: random.Random, total: int, files: int) -> list[int]:
    """Sizes with few big and many small ones that come to the total."""
    big = [min(LARGEST, total // share) for share in (10, 16, 32)]
    small = [min(LARGEST // 20, max(SMALLEST, int(chosen.lognormvariate(12.35, 1.6)))) for _ in range(files - len(big))]
    # A few of middling size take what is left, so that the small ones stay small.
    middling = range(0, len(small), 16)
    rest = total - sum(big) - sum(small) + sum(small[index] for index in middling)
    for index in middling:
        small[index] = max(SMALLEST, rest // len(middling))
    return [*small, *big]


def compare(folder: Path, *, rounds: int) -> dict[str, object]:
    """Times everything, round by round."""
    tree, target = folder / "tree", folder / "target"
    pe_pdb = folder / "pe-pdb"  # links, so that both see the same files and nothing else
    pe_pdb.mkdir()
    for kind in ("pe", "pdb"):
        (pe_pdb / kind).symlink_to(tree / kind)
    add = [sys.executable, "-m", "symsrv", "add", "--store", str(target), "--product", "bench"]
    programs: dict[str, Sequence[str]] = {
        "cp -r, sync": ["sh", "-c", 'cp -r "$0" "$1" && sync', str(tree), str(target)],
        "symsrv add": [*add, str(tree)],
        "symstore, PE and PDB": [sys.executable, "-c", SYMSTORE, str(target), str(tree)],
        "symsrv add, PE and PDB": [*add, str(tree / "pe"), str(tree / "pdb")],
    }
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    environment = os.environ | {"XDG_STATE_HOME": str(folder / "state")}
    for _ in range(rounds + 1):
        for name, command in programs.items():
            os.sync()
            runs[name].append(_run(command, environment))
            shutil.rmtree(target)
    for measured in runs.values():
        del measured[0]  # the round that warmed the caches
    return {
        "runs": {name: [vars(run) for run in measured] for name, measured in runs.items()},
        "ratios": {
            "symsrv add against cp -r, sync": _ratios(runs["cp -r, sync"], runs["symsrv add"]),
            "symsrv add against symstore, PE and PDB": _ratios(
                runs["symstore, PE and PDB"], runs["symsrv add, PE and PDB"]
            ),
        },
    }


def _ratios(peer: Sequence[Run], ours: Sequence[Run]) -> list[float]:
    return [one.seconds / other.seconds for one, other in zip(peer, ours, strict=True)]


def _run(command: Sequence[str], environment: dict[str, str]) -> Run:
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        peak = _Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:4]} ended with {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, peak.ended())


class _Peak(threading.Thread):
    """The most memory a process had; what wait4 tells counts this process, too, from which it was forked."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.status = Path(f"/proc/{pid}/status")
        self.peak_bytes = 0
        self.over = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.over.wait(0.02):
            try:
                lines = dict(line.split(":", 1) for line in self.status.read_text().splitlines())
            except OSError:
                return
            if "VmHWM" in lines and "python" in lines["Name"]:
                self.peak_bytes = int(lines["VmHWM"].split()[0]) * 1024

    def ended(self) -> int:
        self.over.set()
        self.join()
        return self.peak_bytes


def show(measured: dict[str, object]) -> None:
    print(f"{'':28} {'seconds':>22} {'CPU s':>8} {'peak MiB':>9}")
    for name, runs in measured["runs"].items():
        seconds = _spread([run["seconds"] for run in runs])
        cpu = statistics.median(run["cpu_seconds"] for run in runs)
        print(f"{name:28} {seconds:>22} {cpu:8.2f} {max(run['peak_bytes'] for run in runs) / (1 << 20):9.0f}")
    for name, ratios in measured["ratios"].items():
        print(f"{name}: {_spread(ratios)}")


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def growth(folder: Path, *, count: int, pairs: int = 200) -> dict[str, float]:
    """The time of a one-file transaction in a store of `count` transactions, and in one of a hundred."""
    folder.mkdir()
    few, many = (open_store(str(folder / name), create=True, state=folder / "state") for name in ("few", "many"))
    adding = _adder(folder)
    for _ in range(100):
        adding(few)
    for _ in range(count - 100):
        adding(many)
    for _ in range(100):
        adding(many)
    times = [(adding(few), adding(many)) for _ in range(pairs)]
    medians = [
        statistics.median(one[1] for one in part) / statistics.median(one[0] for one in part)
        for part in (times[at : at + pairs // 4] for at in range(0, pairs, pairs // 4))
    ]
    result = {
        "number": count + pairs // 2,
        "early": 100 + pairs // 2,
        "few_ms": 1000 * statistics.median(one for one, _ in times),
        "many_ms": 1000 * statistics.median(one for _, one in times),
        "low": min(medians),
        "high": max(medians),
        "samples": pairs,
    }
    for store in (few, many):
        store.close()
    return result | {"ratio": result["many_ms"] / result["few_ms"]}


def _adder(folder: Path) -> Callable[[SymbolStore], float]:
    path, numbers = folder / "app.exe", iter(range(1, 1 << 28))

    def add(store: SymbolStore) -> float:
        path.write_bytes(pe(next(numbers)))
        # The copy waits a moment for a file of this very instant; a build's output is older.
        os.utime(path, (time.time() - 60, time.time() - 60))
        began = time.perf_counter()
        receipt = publish(store, [Source(path, "app.exe")])
        seconds = time.perf_counter() - began
        if receipt.results[0].status != "stored":
            raise SystemExit(str(receipt.results[0]))
        return seconds

    return add


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small tree, three rounds, 2,000 transactions")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--size", type=int)
    parser.add_argument("--files", type=int)
    parser.add_argument("--transactions", type=int)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    standard = {"rounds": 5, "size": 2 << 30, "files": 2000, "transactions": 20_000}
    quick = {"rounds": 3, "size": 256 << 20, "files": 400, "transactions": 2_000}
    for name, value in (quick if options.quick else standard).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


if __name__ == "__main__":
    sys.exit(main())
