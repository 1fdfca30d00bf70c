"""What all fault rounds share: how many, as whom, what to expect in the store, and where the counts go."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from symsrv.formats import identify_path
from symsrv.layouts import home
from symsrv.store import SymbolStore, open_store
from symsrv.upkeep.verify import Tally, verify
from tests.ingest.files import elf, pdb, pe, written

REPOSITORY = Path(__file__).resolve().parents[2]
PROOFS = REPOSITORY / "docs" / "proofs.md"
NOBODY = 65534

rounds = pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(int(os.environ.get("ROUNDS", "10")), marks=pytest.mark.interop, id="some"),
        pytest.param(int(os.environ.get("ROUNDS", "500")), marks=pytest.mark.prove, id="all"),
    ],
)
"""`ROUNDS=50 pytest -m prove tests/prove` for another number."""


@cache
def ordinary() -> tuple[tuple[str, ...], dict[str, Any]]:
    """What to put before a command, and what to pass to Popen, to run it without root's powers; empty if not root."""
    if os.name == "nt" or os.getuid() != 0:
        return (), {}
    probe = [sys.executable, "-c", "import symsrv.store"]
    as_nobody: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    with suppress(OSError):
        if subprocess.run(probe, **as_nobody, cwd="/", capture_output=True, check=False).returncode == 0:
            return (), as_nobody
    # The interpreter may lie where only root can go. Root without capabilities is bound by rights like anybody.
    bound = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    if shutil.which("setpriv") and subprocess.run([*bound, *probe], capture_output=True, check=False).returncode == 0:
        return bound, {}
    return (), {}


@contextmanager
def workplace() -> Iterator[Path]:
    """An empty folder that the ordinary user owns; pytest's own are closed to others."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="symsrv-prove-") as made:
        folder = Path(made)
        give(folder)
        yield folder


def give(path: Path) -> None:
    """Hands a path to the ordinary user."""
    path.chmod(0o755)
    if "user" in ordinary()[1]:
        os.chown(path, NOBODY, NOBODY)


def start(folder: Path, *arguments: object) -> "subprocess.Popen[str]":
    """Starts symsrv as an ordinary user; its answers go to a file, so that no pipe can hold it up."""
    prefix, more = ordinary()
    out = folder / f"answers-{time.monotonic_ns()}"
    with out.open("w") as stream, (folder / "errors").open("a") as errors:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "symsrv", *map(str, arguments)],
            stdout=stream,
            stderr=errors,
            text=True,
            cwd=folder,
            env=os.environ
            | {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": str(REPOSITORY)},
            **more,
        )
    process.answers = out  # type: ignore[attr-defined]
    return process


def answers(process: "subprocess.Popen[str]") -> list[dict[str, Any]]:
    """The whole lines that a process has printed."""
    text = process.answers.read_text()  # type: ignore[attr-defined]
    return [json.loads(line) for line in text.split("\n")[:-1]]


def done(folder: Path, *arguments: object) -> tuple[int, list[dict[str, Any]]]:
    """Runs symsrv to its end."""
    process = start(folder, *arguments)
    code = process.wait(timeout=300)
    return code, answers(process)


@dataclass
class Build:
    """Writes builds of files that are all known: what may lie at each home."""

    folder: Path
    chosen: random.Random
    allowed: dict[str, set[str]] = field(default_factory=dict)
    number: int = 0

    def file(self, name: str, data: bytes) -> Path:
        """Writes a file and notes it as one of those that may stand at its home."""
        spare = written(self.folder.parent / "spare" / name, data)
        self.allow(spare)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        spare.replace(path)
        return path

    def allow(self, path: Path) -> None:
        key = home(identify_path(path)[0])
        self.allowed.setdefault(key, set()).add(hashlib.sha256(path.read_bytes()).hexdigest())

    def make(self, count: int) -> list[Path]:
        """A build of so many new files, from small to a megabyte, and a changed twin of an old one."""
        made = []
        for _ in range(count):
            self.number += 1
            kind, maker = self.chosen.choice((("exe", pe), ("pdb", pdb), ("so", elf)))
            data = maker(self.number) + self.chosen.randbytes(self.chosen.choice((100, 5_000, 200_000, 1_000_000)))
            made.append(self.file(f"app.{kind}", data) if count == 1 else self.file(f"app{self.number}.{kind}", data))
        return made


class Reader(threading.Thread):
    """Reads visible files again and again, as a server would, and holds each to what may stand there."""

    def __init__(self, store: Path, allowed: dict[str, set[str]]) -> None:
        super().__init__()
        self.store, self.allowed = store, allowed
        self.read, self.bad = 0, list[str]()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            homes = list(self.allowed)
            for key in random.sample(homes, min(len(homes), 50)):
                self.one(key)
            self.over.wait(0.001)

    def one(self, key: str) -> None:
        try:
            data = (self.store / key).read_bytes()
        except OSError:
            return
        self.read += 1
        if hashlib.sha256(data).hexdigest() not in self.allowed[key]:
            self.bad.append(f"{key}: {len(data)} bytes that nobody published")

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()


@dataclass
class Ledger:
    """What was reported as done, and the counts of a run."""

    counts: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def report(self, lines: Sequence[dict[str, Any]], who: str) -> bool:
        """Takes what a process printed; whether it got as far as reporting a transaction."""
        finished = False
        files: list[dict[str, Any]] = []
        for line in lines:
            if "status" in line:
                files.append(line)
            if line.get("type") != "summary":
                continue
            if line["transaction"]:
                finished = True
                if line["transaction"] in self.numbers:
                    self.faults.append(
                        f"{line['transaction']} was given to {self.numbers[line['transaction']]} and {who}"
                    )
                self.numbers[line["transaction"]] = who
        # Every line is printed after the commit, so a file's line counts even where the summary is missing.
        for one in files:
            self.counts[f"files {one.get('status')}"] += 1
            if one.get("status") in ("stored", "present"):
                self.held[one["key"]] = one["sha256"]
        return finished

    def check_held(self, store: SymbolStore, *, replaced: bool = False) -> None:
        """Everything reported as done is there."""
        for key, sha256 in self.held.items():
            found = store.sha256(key, afresh=True)
            if found is None or (found != sha256 and not replaced):
                self.faults.append(f"{key} was reported and is {'gone' if found is None else 'other bytes'}")

    def check_store(self, store: SymbolStore) -> None:
        """The store's own proof, and that no number was used twice."""
        tally = Tally()
        self.faults += [f"verify: {fault.kind} {fault.path}: {fault.sentence}" for fault in verify(store, tally)]
        documents = [transaction.number for transaction in store.documents()]
        self.faults += [f"number {number} twice" for number, count in Counter(documents).items() if count > 1]
        self.faults += [f"{one} was reported and has no document" for one in self.numbers if int(one) not in documents]
        self.counts["verified"] += 1

    def close(self, what: str, rounds: int, request: pytest.FixtureRequest) -> None:
        """Prints the counts, writes them down when proving, and fails if there was any fault."""
        counts = {"rounds": rounds, **dict(sorted(self.counts.items())), "faults": len(self.faults)}
        line = f"{what}: " + ", ".join(f"{number} {word}" for word, number in counts.items())
        print(f"\n{line}")
        if request.node.get_closest_marker("prove") is not None and "-all" in f"-{request.node.callspec.id}":
            when = datetime.now(UTC).strftime("%Y-%m-%d")
            with PROOFS.open("a", encoding="utf-8") as proofs:
                proofs.write(f"* {when} {line}\n")
        assert not self.faults, "\n".join(self.faults[:20])


def opened(store: Path, folder: Path) -> SymbolStore:
    return open_store(str(store), state=folder / "state-of-the-test")
