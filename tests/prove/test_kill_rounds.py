"""`kill -9` at random moments of `add` and `watch`: what was reported stays, and nobody reads half a file."""

import os
import random
import shutil
import time

import pytest

from tests.prove.rounds import Build, Ledger, Reader, answers, done, give, opened, rounds, start, workplace

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")

FRESH_AFTER = 25
MOMENTS = ("start", "staging", "staging", "document")


@rounds
def test_kill_add(rounds, request):
    chosen = random.Random(rounds)
    ledger = Ledger()
    for first in range(0, rounds, FRESH_AFTER):
        with workplace() as folder:
            store, out = folder / "store", folder / "out"
            build = Build(out, chosen)
            store.mkdir()
            give(store)
            done(folder, "add", build.file("seed.exe", _seed()), "--store", store, "--json")
            ledger.held.clear()
            ledger.numbers.clear()
            ledger.known = {"0000000001"}
            with Reader(store, build.allowed) as reader:
                for number in range(first, min(first + FRESH_AFTER, rounds)):
                    _forget(out, chosen)
                    made = build.make(chosen.randint(1, 12))
                    replace = chosen.random() < 0.3
                    if replace:  # the same id, other bytes
                        build.file(made[0].name, made[0].read_bytes() + chosen.randbytes(50))
                    adding = start(folder, "add", out, "--store", store, "--json", *(["--replace"] if replace else []))
                    _kill(adding, store, chosen.choice(MOMENTS), ledger, chosen)
                    if ledger.report(answers(adding), f"round {number}"):
                        ledger.counts["reported"] += 1
                    _check_at_once(folder, store, build, ledger, f"after round {number}", chosen)
            _note(reader, ledger)
    ledger.close("kill -9 of add", rounds, request)


@rounds
def test_kill_watch(rounds, request):
    chosen = random.Random(rounds)
    ledger = Ledger()
    for first in range(0, rounds, FRESH_AFTER):
        with workplace() as folder:
            store, out = folder / "store", folder / "out"
            build = Build(out, chosen)
            out.mkdir()
            store.mkdir()
            give(store)
            done(folder, "add", build.file("seed.exe", _seed()), "--store", store, "--json")
            ledger.held.clear()
            ledger.numbers.clear()
            ledger.known = {"0000000001"}
            with Reader(store, build.allowed) as reader:
                for number in range(first, min(first + FRESH_AFTER, rounds)):
                    _forget(out, chosen)
                    quick = ("--quiet", "100ms", "--poll", "50ms")
                    watching = start(folder, "watch", out, "--store", store, "--json", *quick)
                    build.make(chosen.randint(1, 6))
                    time.sleep(chosen.uniform(0, 0.3))
                    build.make(chosen.randint(1, 6))
                    _kill(watching, store, chosen.choice(MOMENTS), ledger, chosen)
                    if ledger.report(answers(watching), f"round {number}"):
                        ledger.counts["reported"] += 1
                    code, lines = done(folder, "watch", "--once", out, "--store", store, "--json", "--quiet", "50ms")
                    if code:
                        ledger.faults.append(f"watch --once ended with {code} after round {number}")
                    ledger.report(lines, f"after round {number}")
                    _all_there(build, store, ledger)
                    _check_at_once(folder, store, build, ledger, f"after round {number}", chosen)
            _note(reader, ledger)
    ledger.close("kill -9 of watch", rounds, request)


def _seed() -> bytes:
    from tests.ingest.files import pe

    return pe(999_999)


def _forget(out, chosen) -> None:
    """Most rounds start from an empty folder; some publish the old build again."""
    if chosen.random() < 0.7:
        shutil.rmtree(out, ignore_errors=True)
    out.mkdir(exist_ok=True)


def _kill(process, store, moment, ledger: Ledger, chosen) -> None:
    """Kills it some time after a moment of its life: when it starts, has staged something, or has a document."""
    before, ends = _signs(store, moment), time.monotonic() + 20
    while process.poll() is None and _signs(store, moment) <= before and time.monotonic() < ends:
        time.sleep(0.0005)
    time.sleep(chosen.choice((0, chosen.uniform(0, 0.02), chosen.uniform(0, 0.3))))
    if process.poll() is not None:
        ledger.counts["ended before"] += 1
        return
    process.kill()
    process.wait()
    ledger.counts[f"killed after {moment}"] += 1
    ledger.counts["left something staged"] += _signs(store, "staging") > 0


def _signs(store, moment) -> int:
    """How many files tell that a moment has come; a start tells itself."""
    folder = {"staging": "incoming", "document": "transactions"}.get(moment)
    if folder is None:
        return time.monotonic_ns()
    try:
        return len(list((store / ".symsrv" / folder).iterdir()))
    except OSError:
        return 0


def _check_at_once(folder, store, build, ledger, who, chosen) -> None:
    """Right after the kill: whole files only. Then the next writer recovers, and the store proves itself."""
    documents = {path.stem for path in (store / ".symsrv" / "transactions").iterdir()}
    ledger.counts["committed and not reported"] += len(documents - ledger.numbers.keys() - ledger.known)
    ledger.known |= documents
    seeing = Reader(store, build.allowed)
    for key in build.allowed:
        seeing.one(key)
    ledger.faults += seeing.bad
    next_one = Build(folder / "next", chosen, build.allowed, build.number)
    code, lines = done(folder, "add", *next_one.make(1), "--store", store, "--json")
    build.number = next_one.number
    if code:
        ledger.faults.append(f"the next add ended with {code} {who}: {lines}")
    ledger.report(lines, f"the add {who}")
    symbols = opened(store, folder)
    ledger.check_held(symbols, replaced=True)
    ledger.check_store(symbols)
    symbols.close()


def _all_there(build, store, ledger) -> None:
    """A watcher that was killed publishes the build when it comes back."""
    from symsrv.formats import identify_path
    from symsrv.layouts import home

    for path in build.folder.iterdir():
        if not (store / home(identify_path(path)[0])).is_file():
            ledger.faults.append(f"{path.name} was never published")


def _note(reader, ledger) -> None:
    ledger.counts["files read meanwhile"] += reader.read
    ledger.faults += reader.bad
