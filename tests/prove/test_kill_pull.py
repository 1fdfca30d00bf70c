"""`kill -9` at random moments of a puller: nothing torn, nothing whole fetched again, in the end nothing missing."""

import hashlib
import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.ingest.files import elf, pdb, pe
from tests.mirror.pulling import key_of
from tests.mirror.site import Site
from tests.prove.rounds import Ledger, Reader, done, give, opened, rounds, start, workplace

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")

DOWNLOADS = 500
MOMENTS = ("start", "receiving", "receiving", "whole", "document")
_NOTE_DEPTH = 6  # .symsrv/arriving/<scope>/<worker>/<want>/<try>.json
_LOG = '127.0.0.1 - - [{when}] "GET /{path} HTTP/1.1" 404 0 "-" "-"\n'


@rounds
def test_kill_pull(rounds, request):
    chosen = random.Random(rounds)
    ledger, seen = Ledger(), Seen()
    with workplace() as folder, Site(piece_seconds=0.003) as site:
        store = folder / "store"
        store.mkdir()
        give(store)
        config = configured(folder, site)
        keys = list(made(folder, site, chosen))
        allowed = {key: {hashlib.sha256(site.files[key]).hexdigest()} for key in keys}
        with Reader(store, allowed) as reader:
            for number in range(rounds):
                first, last = (DOWNLOADS * place // rounds for place in (number, number + 1))
                wish(folder, config, keys[first:last], number)
                pulling = start(folder, "pull", "--missing", "--keep-going", "-c", config, "--json")
                try:
                    kill(pulling, store, site, chosen.choice(MOMENTS), ledger, chosen)
                finally:  # also when the test itself fails
                    pulling.kill()
                    pulling.wait()
                seen.look(store, keys, site)
        ledger.counts["files read meanwhile"] += reader.read
        ledger.faults += reader.bad
        code, lines = done(folder, "pull", "--missing", "--again", "-c", config, "--json")
        check(folder, store, site, keys, ledger, seen, code, lines)
    ledger.close("kill -9 of pull", rounds, request)


def configured(folder: Path, site: Site) -> Path:
    """One upstream, asked for eight files at once."""
    path = folder / "symsrv.yaml"
    path.write_text(
        f"store: {folder}/store\nmirror: {{every: 100ms, keep_free: 0, with_program: false}}\nupstreams:\n"
        f"  - {{name: there, url: '{site.url}', layouts: [symstore, ssqp], packed: false, concurrency: 8}}\n"
    )
    return path


def made(folder: Path, site: Site, chosen: random.Random):
    """The files that the upstream has; yields their keys."""
    for number in range(1, DOWNLOADS + 1):
        kind, maker = chosen.choice((("exe", pe), ("pdb", pdb), ("so", elf)))
        size = min(8 << 20, max(2_000, int(chosen.lognormvariate(11.5, 1.6))))
        data = maker(number) + chosen.randbytes(size)
        key = key_of(data, f"app{number}.{kind}", folder / "made")
        site.files[key] = data
        yield key


def wish(folder: Path, config: Path, keys, number: int) -> None:
    """Has them missed, as the access log of a web server tells it."""
    log = folder / f"access-{number}.log"
    when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    log.write_text("".join(_LOG.format(when=when, path=key) for key in keys))
    code, lines = done(folder, "missing", "--access-log", log, "-c", config, "--json")
    assert code == 0, lines


def kill(process, store: Path, site: Site, moment: str, ledger: Ledger, chosen: random.Random) -> None:
    """Kills it some time after a moment: when it starts, receives, has something whole, or has a document."""
    before, ends = signs(store, site, moment), time.monotonic() + 15
    while process.poll() is None and signs(store, site, moment) <= before and time.monotonic() < ends:
        time.sleep(0.0005)
    time.sleep(chosen.choice((0, chosen.uniform(0, 0.05), chosen.uniform(0, 1.0))))
    if process.poll() is not None:
        ledger.faults.append(f"it ended by itself with {process.returncode}")
        return
    process.kill()
    process.wait()
    ledger.counts[f"killed after {moment}"] += 1


def signs(store: Path, site: Site, moment: str) -> int:
    """How much tells that a moment has come; a start tells itself."""
    if moment == "receiving":
        return site.sent.total()
    if moment == "whole":
        return len(whole_notes(store))
    if moment == "document":
        folder = store / ".symsrv" / "transactions"
        return len(list(folder.iterdir())) if folder.is_dir() else 0
    return time.monotonic_ns()


def whole_notes(store: Path) -> list[Path]:
    """What says that a body is whole and was checked."""
    return [path for path in arriving(store, ".json") if len(path.relative_to(store).parts) == _NOTE_DEPTH]


def arriving(store: Path, ending: str) -> list[Path]:
    """What is on its way, while it comes and goes."""
    found = os.walk(store / ".symsrv" / "arriving")
    return [Path(folder, name) for folder, _, names in found for name in names if name.endswith(ending)]


class Seen:
    """What was whole after a kill, on its way or at its home: from then on nobody may ask the upstream for it."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []

    def look(self, store: Path, keys, site: Site) -> None:
        requests = Counter(site.requests)
        self.check(requests)
        here = {key for key in keys if (store / key).is_file()}
        for note in whole_notes(store):
            address = json.loads(note.read_text())["address"]
            here.add(address.removeprefix(f"{site.url}/"))
            self.counts["whole and not published"] += 1
        for key in here:
            self.asked.setdefault(key, requests[key])
        self.counts["parts left"] += len(arriving(store, ".part"))

    def check(self, requests: Counter[str]) -> None:
        for key, count in self.asked.items():
            if requests[key] > count:
                self.faults.append(f"{key} was whole, and was asked for again")


def check(folder: Path, store: Path, site: Site, keys, ledger: Ledger, seen: Seen, code: int, lines) -> None:
    """Everything is there, whole, once, and nothing is left."""
    requests = Counter(site.requests)
    seen.check(requests)
    ledger.faults += seen.faults
    if code:
        ledger.faults.append(f"the last pull ended with {code}: {lines[-3:]}")
    for key in keys:
        path = store / key
        if not path.is_file() or path.read_bytes() != site.files[key]:
            ledger.faults.append(f"{key} is not there as the upstream has it")
    symbols = opened(store, folder)
    ledger.check_store(symbols)
    symbols.close()
    code, lines = done(folder, "missing", "-c", folder / "symsrv.yaml", "--json")
    ledger.faults += [f"still wanted: {line}" for line in lines if line.get("state") != "answered"]
    ledger.faults += [f"left: {path}" for ending in (".part", ".json") for path in arriving(store, ending)]
    ledger.counts["downloads"] = len(keys)
    ledger.counts["requests"] = len(site.requests)
    ledger.counts["gone on with"] = sum(requests[key] - 1 for key in keys)
    ledger.counts.update(seen.counts)
