"""Watching a tree of 200,000 files: what it costs to look at it again, beside `find -newer`, and to do nothing.

    python bench/watch.py [--quick] [--rounds 5] [--files 200000] [--idle 180] [--folder DIR] [--json FILE]

The tree: of 100 files in a folder 5 are PE or ELF files to publish, 15 are ELF objects, the rest is text and
empty files. It is published once, which is not measured. Then every round times in turn `find -newer` over the tree,
which is the least that tells what has changed, and what a watcher does when it starts again: it reads its memory and
sweeps. Both are single-threaded; ratios are of wall and of processor time (1 is level, less is faster). Last, `symsrv
watch` runs beside the tree as it does for days: its processor time after the start, as a share of one core, and the
most memory that it had. `--poll` does that with events switched off.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.ingest.files import elf, pe
from tests.made.elf_builder import build_elf

PER_FOLDER = 100
SWEEP = """
import resource, sys, time
from pathlib import Path
from symsrv.ingest.memory import Memory
from symsrv.ingest.watch_build import Build, WatchedFolder
began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
build = Build(WatchedFolder(sys.argv[1]), Memory(Path(sys.argv[2])))
build.look()
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
assert not build.live and build.files == int(sys.argv[3]), (len(build.live), build.files)
print(time.perf_counter() - began, cpu)
"""


def main() -> int:
    options = _options()
    made = Path(tempfile.mkdtemp(dir=options.folder, prefix="symsrv-bench-"))
    try:
        files = make_tree(made / "tree", options.files)
        report: dict[str, Any] = {
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "files": files,
            "first": publish(made),
            "again": again(made, files, rounds=options.rounds),
        }
        show(report)
        report["idle"] = idle(made, seconds=options.idle, poll=options.poll)
        print("idle for {seconds:.0f} s: {share:.2%} of a core, peak {peak_mib:.0f} MiB".format(**report["idle"]))
    finally:
        shutil.rmtree(made)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def make_tree(root: Path, count: int) -> int:
    """Writes the tree; returns how many files there are."""
    linkable = build_elf(notes=b"", file_type=1)
    for number in range(count):
        folder = root / f"module{number // 5000:03}" / f"part{number // PER_FOLDER:05}"
        kind = number % PER_FOLDER
        if not kind:
            folder.mkdir(parents=True)
        if kind < 3:
            (folder / f"app{kind}.exe").write_bytes(pe(number + 1))
        elif kind < 5:
            (folder / f"lib{kind}.so").write_bytes(elf(number + 1))
        elif kind < 20:
            (folder / f"object_{kind}.o").write_bytes(linkable)
        else:
            (folder / f"generated_{kind}.h").write_bytes(b"" if kind > 90 else b"#define A %d\n" % number)
    return count


def publish(made: Path) -> dict[str, float]:
    """Publishes the tree, and so gives the watcher its memory."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*_watch(made), "--once"], env=_environment(made), stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": time.perf_counter() - began, "cpu_seconds": after.ru_utime - before.ru_utime}


def again(made: Path, files: int, *, rounds: int) -> dict[str, list[list[float]]]:
    """Times `find` and a sweep after a restart, in turn."""
    (mark,) = (made / "state" / "symsrv").glob("watch-*.jsonl")
    runs: dict[str, list[list[float]]] = {"find": [], "sweep": []}
    for number in range(rounds + 1):
        found, swept = _find(made / "tree", mark), _sweep(made / "tree", mark, files)
        if number:  # the first warmed the caches
            runs["find"].append(found)
            runs["sweep"].append(swept)
    return runs


def _find(tree: Path, mark: Path) -> list[float]:
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["find", str(tree), "-newer", str(mark)], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [time.perf_counter() - began, cpu]


def _sweep(tree: Path, memory: Path, files: int) -> list[float]:
    command = [sys.executable, "-c", SWEEP, str(tree), str(memory), str(files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[1])
    return [float(word) for word in done.stdout.split()]


def idle(made: Path, *, seconds: float, poll: str | None) -> dict[str, float]:
    """What a watcher takes while nothing happens, the start apart."""
    command = [*_watch(made), *(["--poll", poll] if poll else [])]
    with subprocess.Popen(
        command, env=_environment(made), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _settle(process.pid)
        began, before = time.perf_counter(), _cpu(process.pid)
        time.sleep(seconds)
        used, passed = _cpu(process.pid) - before, time.perf_counter() - began
        peak = _peak(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return {"seconds": passed, "cpu_seconds": used, "share": used / passed, "peak_mib": peak}


def _settle(pid: int) -> None:
    """Waits until the start is over: until it takes no processor time for three seconds."""
    last, still = -1.0, 0
    while still < 6:
        time.sleep(0.5)
        now = _cpu(pid)
        still = still + 1 if now - last < 0.03 else 0
        last = now


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> float:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


def _watch(made: Path) -> list[str]:
    return [sys.executable, "-m", "symsrv", "watch", str(made / "tree"), "--store", str(made / "store"), "--pair", "0s"]


def _environment(made: Path) -> dict[str, str]:
    return os.environ | {"XDG_STATE_HOME": str(made / "state")}


def show(report: dict[str, Any]) -> None:
    first, runs = report["first"], report["again"]
    print(f"tree: {report['files']:,} files; published the first time in {first['seconds']:.1f} s")
    print(f"{'':24} {'seconds':>22} {'CPU s':>22}")
    for name, measured in runs.items():
        print(f"{name:24} {_spread([one[0] for one in measured]):>22} {_spread([one[1] for one in measured]):>22}")
    for at, what in enumerate(("time", "CPU time")):
        ratios = [ours[at] / peer[at] for peer, ours in zip(runs["find"], runs["sweep"], strict=True)]
        print(f"start-up sweep against find -newer, {what}: {_spread(ratios)}")


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20,000 files, three rounds, 20 seconds")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--files", type=int)
    parser.add_argument("--idle", type=float)
    parser.add_argument("--poll", metavar="DURATION")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    standard = {"rounds": 5, "files": 200_000, "idle": 180.0}
    quick = {"rounds": 3, "files": 20_000, "idle": 20.0}
    for name, value in (quick if options.quick else standard).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


if __name__ == "__main__":
    sys.exit(main())
