"""A full disk, and sources that vanish or change while they are read."""

import os
import random
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from tests.prove.rounds import Build, Ledger, Reader, answers, done, give, opened, rounds, start, workplace

SMALL_BYTES = 6 << 20


@contextmanager
def small_disk(folder):
    """A file system of a few megabytes; only root can mount one."""
    if os.name == "nt" or os.getuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = folder / "small"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_BYTES},mode=755", "tmpfs", str(place)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        give(place)
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@rounds
def test_full_disk(rounds, request):
    chosen = random.Random(rounds)
    ledger = Ledger()
    with workplace() as folder, small_disk(folder) as place:
        for number in range(rounds):
            store, filler = place / "store", place / "filler"
            shutil.rmtree(store, ignore_errors=True)
            store.mkdir()
            give(store)
            out = folder / "out"
            shutil.rmtree(out, ignore_errors=True)
            build = Build(out, chosen, number=100 * number)
            ledger.held.clear()
            ledger.numbers.clear()
            ledger.report(done(folder, "add", *build.make(1), "--store", store, "--json")[1], "the first add")
            made = build.make(6)
            need = sum(path.stat().st_size for path in made)
            free = shutil.disk_usage(place).free
            filler.write_bytes(bytes(max(0, free - int(need * chosen.uniform(0, 1.4)) - chosen.randint(0, 60_000))))
            with Reader(store, build.allowed) as reader:
                code, lines = done(folder, "add", out, "--store", store, "--json")
            reported = ledger.report(lines, f"round {number}")
            ledger.counts["refused" if code else "had room"] += 1
            if code and (reported or lines[-1].get("reason") != "disk-full"):
                ledger.faults.append(f"round {number} ended with {code}: {lines[-1]}")
            filler.unlink()
            ledger.faults += reader.bad
            ledger.counts["files read meanwhile"] += reader.read
            code, lines = done(folder, "add", out, "--store", store, "--json")
            if code:
                ledger.faults.append(f"round {number}: with room again it ended with {code}: {lines[-1]}")
            ledger.report(lines, f"round {number} again")
            left = [path for path in (store / ".symsrv" / "incoming").rglob("*") if path.is_file()]
            ledger.faults += [f"round {number} left {path.name} staged" for path in left]
            symbols = opened(store, folder)
            ledger.check_held(symbols)
            ledger.check_store(symbols)
            symbols.close()
    ledger.close("full disk", rounds, request)


@rounds
def test_sources_vanish_and_change(rounds, request):
    chosen = random.Random(rounds)
    ledger = Ledger()
    with workplace() as folder:
        for number in range(rounds):
            store, out = folder / f"store{number // 25}", folder / "out"
            shutil.rmtree(out, ignore_errors=True)
            build = Build(out, chosen, number=100 * number)
            store.mkdir(exist_ok=True)
            give(store)
            made = build.make(10)
            over = threading.Event()
            meddler = threading.Thread(target=_meddle, args=(made, build, over, chosen.randrange(1 << 30)))
            with Reader(store, build.allowed) as reader:
                adding = start(folder, "add", out, "--store", store, "--json")
                meddler.start()
                code = adding.wait(timeout=60)
                over.set()
                meddler.join()
            lines = answers(adding)
            if number % 25 == 0:
                ledger.held.clear()
                ledger.numbers.clear()
            ledger.report(lines, f"round {number}")
            ledger.counts[f"exit {code}"] += 1
            if code not in (0, 1, 3) or lines[-1].get("type") != "summary":
                ledger.faults.append(f"round {number} ended with {code}: {lines[-1:]}")
            ledger.faults += reader.bad
            symbols = opened(store, folder)
            ledger.check_held(symbols)
            ledger.check_store(symbols)
            symbols.close()
    ledger.close("sources that vanish and change", rounds, request)


def _meddle(made, build, over, seed) -> None:
    """Removes, replaces and rewrites the sources in place, slowly, until it is over."""
    chosen = random.Random(seed)
    time.sleep(chosen.uniform(0.1, 0.3))  # Python needs a moment to start
    spare = build.folder.parent / "spare" / "version"
    while not over.is_set():
        path = chosen.choice(made)
        with suppress(FileNotFoundError):
            deed = chosen.random()
            if deed < 0.1:
                path.unlink()
                continue
            data = path.read_bytes()
            version = data[: len(data) - 40] + chosen.randbytes(40 if deed < 0.6 else 90)
            spare.write_bytes(version)
            named = spare.with_name(path.name)
            spare.replace(named)
            build.allow(named)
            if deed < 0.3:
                named.replace(path)
                continue
            with path.open("r+b") as file:
                for at in range(0, len(version), 1 + len(version) // 4):
                    file.write(version[at : at + 1 + len(version) // 4])
                    file.flush()
                    time.sleep(chosen.uniform(0, 0.002))
        time.sleep(chosen.uniform(0, 0.01))
