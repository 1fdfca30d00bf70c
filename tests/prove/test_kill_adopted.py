"""`kill -9` in stores that symstore.exe made, and of its command line: deletes, repairs, and compressed adds."""

import hashlib
import os
import random
import time
from collections import Counter
from contextlib import suppress

import pytest

from symsrv.layouts import parse_any
from symsrv.model.errors import SymsrvError
from symsrv.store import is_packed
from symsrv.upkeep.repair import repair
from symsrv.upkeep.verify import Tally, verify
from tests.ingest.files import written
from tests.prove.adopted import Adopted, Harm, contents, numbers_of, told
from tests.prove.rounds import Build, Ledger, Reader, done, opened, rounds, start, workplace

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")

WITH_EACH_STORE = 4
PLACES = {
    "document": ".symsrv/transactions",
    "history": "000Admin/history.txt",
    "staging": ".symsrv/incoming",
    "locking": ".symsrv/lock",
    "putting aside": ".symsrv/displaced",
}


@rounds
def test_kill_delete_in_an_adopted_store(rounds, request):
    chosen, ledger = random.Random(rounds), Ledger()
    for first in range(0, rounds, WITH_EACH_STORE):
        with workplace() as folder:
            style = {"two_tier": chosen.random() < 0.3, "references": chosen.random() < 0.8}
            adopted = Adopted(folder / "store", chosen, **style).make(7, pool=45, each=22)
            life = _Life(adopted, Build(folder / "out", chosen), ledger)
            for number in range(first, min(first + WITH_EACH_STORE, rounds)):
                with Reader(adopted.root, adopted.allowed) as reader:
                    deleting = _delete(folder, adopted.root, life.victims(), chosen)
                    _kill(deleting, adopted.root, chosen.choice(("start", "document", "document", "history")), ledger)
                    life.check_readable(f"round {number}")
                    life.go_on(folder, f"round {number}")
                _note(reader, ledger)
                life.check(folder, f"round {number}")
    ledger.close("kill -9 of delete in an adopted store", rounds, request)


@rounds
def test_kill_repair_of_a_damaged_store(rounds, request):
    chosen, ledger = random.Random(rounds), Ledger()
    for number in range(rounds):
        with workplace() as folder:
            adopted = Adopted(folder / "store", chosen, two_tier=chosen.random() < 0.3).make(6, pool=40, each=15)
            if chosen.random() < 0.5:
                _add_one_of_ours(folder, adopted, ledger)
            before = told(adopted.root)
            harm = Harm(adopted)
            ledger.counts["harms"] += len(harm.do())
            who = f"round {number} ({', '.join(harm.done)})"
            bytes_before = contents(adopted.root)
            with Reader(adopted.root, adopted.allowed) as reader:
                for _ in range(chosen.choice((1, 1, 2, 3))):
                    repairing = start(folder, "verify", "--repair", "--store", adopted.root, "--json")
                    moment = chosen.choice(("start", "locking", "staging", "staging", "putting aside"))
                    _kill(repairing, adopted.root, moment, ledger, patience=3)
                    _check_bytes(adopted.root, bytes_before, ledger, f"killed in {who}")
                _, lines = done(folder, "verify", "--repair", "--store", adopted.root, "--json")
            ledger.counts["mended by the last"] += sum(line.get("type") == "repair" for line in lines)
            _note(reader, ledger)
            _check_bytes(adopted.root, bytes_before, ledger, who)
            _check_mended(folder, adopted.root, harm, before, ledger, who)
    ledger.close("kill -9 of verify --repair", rounds, request)


@rounds
def test_kill_symstore_add_compress(rounds, request):
    chosen, ledger = random.Random(rounds), Ledger()
    for first in range(0, rounds, WITH_EACH_STORE):
        with workplace() as folder:
            store, out = folder / "store", folder / "out"
            tiers = chosen.random() < 0.5
            build = Build(out, chosen)
            with _PlainReader(store, build.allowed, folder) as reader:
                for number in range(first, min(first + WITH_EACH_STORE, rounds)):
                    for old in out.rglob("*") if chosen.random() < 0.7 else ():
                        old.unlink()
                    made = _compressible(build, chosen)
                    words = ["symstore", "add", "/r", "/f", out, "/s", store, "/t", "App", "/compress"]
                    words += ["/3"] * tiers + ["--strict"]
                    adding = start(folder, *words)
                    moment = chosen.choice(("start", "staging", "staging", "document", "history"))
                    _kill(adding, store, moment, ledger, patience=10)
                    reader.look()
                    reader.faults_of(_plain_of(folder, store, words), build.folder, f"round {number}")
                    ledger.counts["files added"] += len(made)
                    if tiers != (store / "index2.txt").exists():
                        ledger.faults.append(f"the store has {'one tier' if tiers else 'two tiers'} in round {number}")
                    _verified(folder, store, ledger, f"round {number}")
            _note(reader, ledger)
            ledger.counts["packed files read meanwhile"] += reader.packed
    ledger.close("kill -9 of symstore add /compress", rounds, request)


class _Life:
    """What a store should hold, after what its documents say was done to it."""

    def __init__(self, adopted: Adopted, build: Build, ledger: Ledger) -> None:
        self.adopted, self.build, self.ledger, self.chosen = adopted, build, ledger, build.chosen
        self.holders = adopted.holders
        self.history = (adopted.admin / "history.txt").read_bytes()
        self.live = set(self.holders)
        self.promised: set[int] = set()

    def victims(self) -> list[int]:
        return self.chosen.sample(sorted(self.live), self.chosen.choice((1, 1, 2)) if len(self.live) > 3 else 1)

    def held(self) -> set[str]:
        return {place for number in self.live for place in self.holders[number]}

    def check_readable(self, who: str) -> None:
        """Right after the kill: what no committed delete let go of is there, whole."""
        self._read_documents()
        for place in self.held():
            path = self.adopted.root / place
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != self.adopted.hashes[place]:
                self.ledger.faults.append(f"{place} is held, and lost at once in {who}")

    def go_on(self, folder, who: str) -> None:
        """The next command recovers; some of those that do are killed as well, and then there is another."""
        root = self.adopted.root
        if self.chosen.random() < 0.3 and len(self.live) > 2:
            again = _delete(folder, root, self.victims(), self.chosen)
            _kill(again, root, self.chosen.choice(("start", "history")), self.ledger)
            self.check_readable(f"the second kill of {who}")
        deed = self.chosen.choice(("add", "repair", "delete", "symstore del"))
        if deed == "repair":
            code, _ = done(folder, "verify", "--repair", "--store", root, "--json")
        elif deed == "add" or len(self.live) < 2:
            old = self.chosen.sample(sorted(self.held()), min(3, len(self.held())))
            paths = [written(folder / "old" / place.split("/")[-1], (root / place).read_bytes()) for place in old]
            code, lines = done(folder, "add", *self.build.make(1), *paths, "--store", root, "--json")
            self._note_added(lines, who)
        else:
            victim = self.chosen.choice(sorted(self.live))
            process = _delete(folder, root, [victim], self.chosen, by_symstore=deed == "symstore del")
            code = process.wait(timeout=60)
            self.promised.add(victim)
        self.ledger.counts[f"went on by {deed}"] += 1
        if code:
            self.ledger.faults.append(f"{deed} ended with {code} after {who}")
        self._read_documents()

    def check(self, folder, who: str) -> None:
        """Files, history, server, lists, references and lastid agree with what is held."""
        root, admin, faults = self.adopted.root, self.adopted.admin, list[str]()
        held = self.held()
        lying = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
        symbols = {path for path in lying if path.count("/") >= 2 and path[0] != "." and not path.endswith("refs.ptr")}
        faults += [f"{place} is held, and gone" for place in held - symbols]
        faults += [f"{place} is held by nothing, and there" for place in symbols - held]
        history = (admin / "history.txt").read_bytes()
        if not history.startswith(self.history):
            faults.append("history.txt has other bytes than symstore.exe wrote")
        rows = [line.split(",") for line in history.decode().splitlines()]
        deleted = {int(row[2]) for row in rows if row[1] == "del"}
        counted = Counter(int(row[0]) for row in rows)
        faults += [f"number {number} is {count} times in history.txt" for number, count in counted.items() if count > 1]
        if deleted != set(self.holders) - self.live:
            faults.append(f"history.txt deletes {sorted(deleted)}, of which {sorted(self.live)} are live")
        if sorted(self.live) != sorted(numbers_of(admin / "server.txt")):
            faults.append(f"server.txt has {list(numbers_of(admin / 'server.txt'))}, live are {sorted(self.live)}")
        if int((admin / "lastid.txt").read_bytes()) < max(counted):
            faults.append("lastid.txt is too low")
        for number in self.holders:
            lists = (admin / f"{number:010d}").exists(), (admin / f"{number:010d}.deleted").exists()
            if lists != (number in self.live, number not in self.live):
                faults.append(f"the lists of {number} are {lists}")
        for place in held:
            named = set(numbers_of((root / place).with_name("refs.ptr")))
            expected = {number for number in self.live if place in self.holders[number] and self._refers(number)}
            if named != expected:
                faults.append(f"refs.ptr of {place} names {sorted(named)} and not {sorted(expected)}")
        faults += [f"the delete of {number} was reported, and it is live" for number in self.promised & self.live]
        self.ledger.faults += [f"{fault} in {who}" for fault in faults]
        _verified(folder, root, self.ledger, who)

    def _refers(self, number: int) -> bool:
        return self.adopted.references or number >= min(self._ours, default=number + 1)

    def _note_added(self, lines, who: str) -> None:
        numbers = [int(line["transaction"]) for line in lines if line.get("type") == "summary"]
        self.ledger.report(lines, who)
        self.ledger.numbers.clear()
        for number in numbers:
            self.live.add(number)
            self.holders[number] = {line["key"] for line in lines if line.get("status") in ("stored", "present")}
            for line in lines:
                if line.get("status") == "stored":
                    self.adopted.hashes[line["key"]] = line["sha256"]

    def _read_documents(self) -> None:
        from symsrv.store import documents

        self._ours = set()
        for path in sorted((self.adopted.root / ".symsrv" / "transactions").glob("*.jsonl")):
            found = documents.load(path.read_bytes(), path.name)
            self._ours |= {found.number} if found.kind == "add" else set()
            self.live -= set(found.deletes)


class _PlainReader(Reader):
    """Asks the store for plain names, as a server does, and holds what it is given to what was published."""

    def __init__(self, store, allowed, folder) -> None:
        super().__init__(store, allowed)
        self.folder, self.symbols, self.packed = folder, None, 0
        self.seen: set[str] = set()

    def one(self, key: str) -> None:
        if self.symbols is None:
            if not self.store.is_dir():
                return
            self.symbols = opened(self.store, self.folder)
        self.symbols.revision()
        try:
            file = next(iter(self.symbols.find(parse_any(key))), None)
            stream = self.symbols.open_plain(file) if file else None
        except SymsrvError as error:
            file, stream = None, None
            if key in self.seen:
                self.bad.append(f"{key} was read before, and now {type(error).__name__}: {error}")
        if stream is None:
            if key in self.seen and file is None:
                self.bad.append(f"{key} was read before, and now it is not found")
            return
        try:
            data = stream.stream.read()
        finally:
            stream.close()
        self.read += 1
        self.packed += is_packed(file.home)
        self.seen.add(key)
        if hashlib.sha256(data).hexdigest() not in self.allowed[key]:
            self.bad.append(f"{key}: {len(data)} bytes that nobody published")

    def look(self) -> None:
        """Everything at once, with nothing remembered: right after a kill."""
        fresh = _PlainReader(self.store, self.allowed, self.folder / f"fresh-{time.monotonic_ns()}")
        for key in list(self.allowed):
            fresh.one(key)
        self.bad += fresh.bad
        if fresh.symbols is not None:
            fresh.symbols.close()

    def faults_of(self, ending, source, who: str) -> None:
        """After the add that ran to its end, the plain name of every file has its bytes."""
        code, text = ending
        if code or "Number of errors = 0" not in text:
            self.bad.append(f"the add after {who} ended with {code}: {text[-300:]}")
        from symsrv.formats import identify_path
        from symsrv.layouts import home

        symbols = opened(self.store, self.folder / "state-after")
        for path in source.iterdir():
            file = next(iter(symbols.find(parse_any(home(identify_path(path)[0])))), None)
            if file is None or symbols.plain(file).read_bytes() != path.read_bytes():
                self.bad.append(f"{path.name} is not what was added in {who}")
            elif not is_packed(file.home):
                self.bad.append(f"{path.name} is not compressed in {who}")
        symbols.close()

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        if self.symbols is not None:
            self.symbols.close()


def _compressible(build: Build, chosen) -> list:
    """New files that a cabinet makes smaller, and other bytes for some that the build has already."""
    made = build.make(chosen.randint(1, 5))
    for path in made:
        build.file(path.name, path.read_bytes() + chosen.randbytes(1000) * chosen.randint(1, 300))
    return made


def _plain_of(folder, store, words) -> tuple[int, str]:
    process = start(folder, *words)
    return process.wait(timeout=120), process.answers.read_text()


def _delete(folder, root, numbers, chosen, *, by_symstore: bool | None = None):
    if by_symstore or (by_symstore is None and len(numbers) == 1 and chosen.random() < 0.5):
        return start(folder, "symstore", "del", "/i", f"{numbers[0]:010d}", "/s", root, "--strict")
    return start(folder, "delete", *(f"{number:010d}" for number in numbers), "--store", root, "--json")


def _kill(process, store, moment, ledger: Ledger, *, patience: float = 20) -> None:
    """Kills it some time after a moment of its life: when it starts, or has touched one of the places."""
    before, ends = _sign(store, moment), time.monotonic() + patience
    while moment in PLACES and process.poll() is None and _sign(store, moment) == before and time.monotonic() < ends:
        time.sleep(0.0002)
    if process.poll() is None:
        time.sleep(random.choice((0, random.uniform(0, 0.01), random.uniform(0, 0.05), random.uniform(0, 0.3))))
    if process.poll() is not None:
        ledger.counts["ended before"] += 1
        return
    process.kill()
    process.wait()
    ledger.counts[f"killed after {moment}"] += 1


def _sign(store, moment) -> int:
    with suppress(OSError):
        return (store / PLACES[moment]).stat().st_mtime_ns if moment in PLACES else 0
    return 0


def _add_one_of_ours(folder, adopted: Adopted, ledger: Ledger) -> None:
    """A transaction that has a document, of a file that is there and of one that is not."""
    place = adopted.chosen.choice(sorted(adopted.hashes))
    old = written(folder / "old" / place.split("/")[-1], (adopted.root / place).read_bytes())
    new = Build(folder / "out", adopted.chosen, number=7_000).make(1)
    code, lines = done(folder, "add", old, *new, "--store", adopted.root, "--json")
    if code:
        ledger.faults.append(f"an add to an adopted store ended with {code}: {lines}")
    adopted.hashes |= {line["key"]: line["sha256"] for line in lines if line.get("status") == "stored"}


def _check_bytes(root, before, ledger: Ledger, who: str) -> None:
    if lost := before - contents(root):
        ledger.faults.append(f"the bytes of {len(lost)} files are nowhere any more, {who}")
    ledger.counts["contents looked for"] += len(before)


def _check_mended(folder, root, harm: Harm, before, ledger: Ledger, who: str) -> None:
    """Nothing is left to be repaired, and each file and line is back where it was."""
    symbols = opened(root, folder)
    left = list(repair(symbols))
    ledger.counts["took another repair"] += bool(left)
    ledger.faults += [f"{one.path}: {one.sentence} was left to a third repair in {who}" for one in repair(symbols)]
    symbols.close()
    after = told(root)
    for path in before.keys() | after.keys():
        # A list made anew has the spelling of the twin that it was made from; a torn line may stay beside a whole one.
        lines, were = (Counter(line.lower() for line in one.get(path, ())) for one in (after, before))
        torn = [line for line in lines - were if not any(whole.startswith(line) for whole in were)]
        if torn or were - lines:
            ledger.faults.append(f"{path} lost {[*were - lines]} and got {torn} in {who}")
    for place, sha256 in harm.store.hashes.items():
        path = root / place
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            ledger.faults.append(f"{place} is not what it was in {who}")
    _verified(folder, root, ledger, who, documented=harm.remains)


def _verified(folder, root, ledger: Ledger, who: str, *, documented=frozenset()) -> None:
    symbols = opened(root, folder)
    faults = list(verify(symbols, Tally()))
    symbols.close()
    ledger.faults += [
        f"verify: {fault.kind} {fault.path}: {fault.sentence} in {who}"
        for fault in faults
        if fault.kind not in documented
    ]
    ledger.counts["verified"] += 1


def _note(reader, ledger: Ledger) -> None:
    ledger.counts["files read meanwhile"] += reader.read
    ledger.faults += reader.bad
