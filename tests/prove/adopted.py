"""Stores in symstore.exe's form for the kill rounds: what is in them is known, and so is what harms them."""

import hashlib
import os
import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from symsrv.formats import identify_path
from symsrv.layouts import home
from symsrv.store.homes import two_tiers
from tests.ingest.files import elf, pdb, pe, written
from tests.prove.rounds import NOBODY, ordinary

_KINDS = (("exe", pe), ("pdb", pdb), ("so", elf))
_NAMES = 8
_LONG_AGO_SECONDS = 3 * 24 * 3600


def give_all(root: Path) -> None:
    """Hands a whole folder to the ordinary user."""
    if "user" in ordinary()[1]:
        for path in (root, *root.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


@dataclass
class Adopted:
    """A store that symstore.exe might have written: `holders` says which homes each transaction holds."""

    root: Path
    chosen: random.Random
    two_tier: bool = False
    references: bool = True
    hashes: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    holders: dict[int, set[str]] = field(default_factory=dict)

    @property
    def admin(self) -> Path:
        return self.root / "000Admin"

    @property
    def allowed(self) -> dict[str, set[str]]:
        """What readers may find at each home."""
        return {place: {sha256} for place, sha256 in self.hashes.items()}

    def make(self, transactions: int, *, pool: int, each: int) -> "Adopted":
        """Writes so many transactions of files from one pool, so that most files have several holders."""
        self.admin.mkdir(parents=True)
        (self.root / "pingme.txt").touch()
        if self.two_tier:
            (self.root / "index2.txt").touch()
        homes = [self._store(number) for number in range(1, pool + 1)]
        for number in range(1, transactions + 1):
            self._add(number, self.chosen.sample(homes, each))
        for alone in set(homes).difference(*self.holders.values()):  # in the pool, and never taken
            shutil.rmtree((self.root / alone).parent)
            del self.hashes[alone]
        give_all(self.root)
        return self

    def _store(self, number: int) -> str:
        kind, maker = self.chosen.choice(_KINDS)
        data = maker(number) + self.chosen.randbytes(self.chosen.choice((100, 5_000, 60_000)))
        spare = written(self.root.parent / "spare" / f"app{number % _NAMES}.{kind}", data)
        identity = identify_path(spare)[0]
        place = two_tiers(home(identity)) if self.two_tier else home(identity)
        (self.root / place).parent.mkdir(parents=True)
        spare.replace(self.root / place)
        self.hashes[place] = hashlib.sha256(data).hexdigest()
        self.kinds[place] = identity.symbol_kind
        return place

    def _add(self, number: int, homes: Iterable[str]) -> None:
        self.holders[number] = set(homes)
        lines = []
        for place in sorted(self.holders[number]):
            source = f"C:\\build\\{place.rpartition('/')[2]}"
            lines.append(f'"{key_of(place, two_tier=self.two_tier)}","{source}"\r\n')
            if self.references:
                refs = (self.root / place).with_name("refs.ptr")
                separate(refs, f'{number:010d},file,"{source}",{self.kinds[place]},,N,,')
        (self.admin / f"{number:010d}").write_bytes("".join(lines).encode())
        line = f'{number:010d},add,file,08/10/2020,18:50:24,"prod","{number}.0","theirs",'
        separate(self.admin / "history.txt", line)
        with (self.admin / "server.txt").open("ab") as server:
            server.write(f"{line}\r\n".encode())
        (self.admin / "lastid.txt").write_bytes(b"%010d" % number)


def key_of(place: str, *, two_tier: bool) -> str:
    """A home's folder as a list names it."""
    parts = place.split("/")[:-1]
    return "\\".join(parts[1:] if two_tier else parts)


def separate(path: Path, line: str) -> None:
    """Adds a line to a file whose lines are separated."""
    before = path.read_bytes() + b"\r\n" if path.exists() else b""
    path.write_bytes(before + line.encode())


def contents(root: Path) -> set[str]:
    """The hash of everything in a store that is no text of its own: at a home, or put aside."""
    found = set()
    for path in root.rglob("*"):
        inner = path.relative_to(root).parts
        own = inner[0] == ".symsrv" and inner[1:2] != ("displaced",)
        if path.is_file() and len(inner) > 2 and not own and path.name != "refs.ptr":
            found.add(hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def told(root: Path) -> dict[str, list[bytes]]:
    """The lines of each text file of a store, sorted; a reference's file goes by its folder."""
    paths = [*(root / "000Admin").iterdir(), *root.rglob("refs.ptr")]
    visible = [path for path in paths if ".symsrv" not in path.parts]
    return {path.relative_to(root).as_posix(): sorted(path.read_bytes().splitlines()) for path in visible}


class Harm:
    """Damages a store in several ways at once, so that each can be mended from what the store tells elsewhere.

    `remains` are the faults that a repair only names.
    """

    def __init__(self, store: Adopted) -> None:
        self.store, self.chosen = store, store.chosen
        self.remains: set[str] = set()
        self.done: list[str] = []
        self._listed = self.chosen.choice(sorted(store.holders))
        free = sorted(set(store.hashes) - store.holders[self._listed])
        self._referenced = self.chosen.sample(free, min(3, len(free)))
        self._free = [place for place in sorted(store.hashes) if place not in self._referenced]

    def do(self) -> list[str]:
        """Does some of it; returns what."""
        lines = self._history_torn, self._history_gone, self._server_torn, self._server_line, self._server_gone
        one_each: tuple[tuple[Callable[[], None], ...], ...] = (
            (self._lastid_low, self._lastid_gone),
            (*lines, self._history_tail),
            (self._list_torn, self._list_gone),
            (self._refs_gone,),
            (self._refs_torn,),
            (self._twin_same, self._twin_moved),
            (self._twin_other,),
            (self._strays,),
            (self._leftover,),
            (self._orphan,),
        )
        for several in one_each:
            if self.chosen.random() < (0.15 if self._twin_other in several else 0.75):
                deed = self.chosen.choice(several)
                deed()
                self.done.append(deed.__name__.strip("_").replace("_", " "))
        give_all(self.store.root)
        return self.done

    def _lastid_low(self) -> None:
        (self.store.admin / "lastid.txt").write_bytes(b"%010d" % 1)

    def _lastid_gone(self) -> None:
        (self.store.admin / "lastid.txt").unlink()

    def _history_torn(self) -> None:
        self._cut(self.store.admin / "history.txt")

    def _history_gone(self) -> None:
        (self.store.admin / "history.txt").unlink()

    def _history_tail(self) -> None:
        """The beginning of a line of which nothing tells the rest."""
        separate(self.store.admin / "history.txt", "00000")

    def _server_torn(self) -> None:
        self._cut(self.store.admin / "server.txt")

    def _server_line(self) -> None:
        path = self.store.admin / "server.txt"
        lines = path.read_bytes().splitlines(keepends=True)
        lines.pop(self.chosen.randrange(len(lines)))
        path.write_bytes(b"".join(lines))

    def _server_gone(self) -> None:
        (self.store.admin / "server.txt").unlink()

    def _list_torn(self) -> None:
        self._cut(self.store.admin / f"{self._listed:010d}")

    def _list_gone(self) -> None:
        (self.store.admin / f"{self._listed:010d}").unlink()

    def _refs_gone(self) -> None:
        for place in self._referenced[:1]:
            (self.store.root / place).with_name("refs.ptr").unlink()

    def _refs_torn(self) -> None:
        for place in self._referenced[1:]:
            self._cut((self.store.root / place).with_name("refs.ptr"))

    def _twin_same(self) -> None:
        """A second folder in another case with the same bytes; some references are only there."""
        place, twin = self._twin()
        shutil.copytree((self.store.root / place).parent, twin.parent)
        refs = (self.store.root / place).with_name("refs.ptr").read_bytes().split(b"\r\n")
        if len(refs) > 1:
            (self.store.root / place).with_name("refs.ptr").write_bytes(b"\r\n".join(refs[:1]))
            twin.with_name("refs.ptr").write_bytes(b"\r\n".join(refs[1:]))

    def _twin_moved(self) -> None:
        """One of the ids of a name lies below the name in another case."""
        place, twin = self._twin(several=True)
        twin.parent.parent.mkdir(parents=True)
        (self.store.root / place).parent.rename(twin.parent)

    def _twin_other(self) -> None:
        place, twin = self._twin(title=True)
        written(twin, (self.store.root / place).read_bytes() + b"other")
        self.remains.add("twins")

    def _twin(self, *, several: bool = False, title: bool = False) -> tuple[str, Path]:
        """A home, and the same with its name's folder in another case."""
        # References below a twin's spelling do not continue the torn line of a list, which then is put aside.
        free = [place for place in self._free if place not in self.store.holders[self._listed]]
        if several:
            names = [place.split("/")[-3] for place in self.store.hashes]
            free = [place for place in free if names.count(place.split("/")[-3]) > 1] or free
        place = self.chosen.choice(free)
        self._free.remove(place)
        *tier, name, number, file = place.split("/")
        return place, self.store.root.joinpath(*tier, name.title() if title else name.upper(), number, file)

    def _strays(self) -> None:
        """What nobody recorded, under an id that it does not carry: nothing, half a file, another file."""
        root = self.store.root / "st" if self.store.two_tier else self.store.root
        number = self.chosen.randint(5_000, 6_000)
        written(root / "stray.exe" / "10000A00" / "stray.exe", b"")
        written(root / "strayed.pdb" / "10000B00" / "strayed.pdb", pdb(number)[:700])
        written(root / "strange.exe" / "10000C00" / "strange.exe", pe(number))

    def _leftover(self) -> None:
        path = written((self.store.root / self._free[0]).with_name("download.error"), self.chosen.randbytes(50))
        _age(path)

    def _orphan(self) -> None:
        folder = self.store.root / "gone.pdb" / "0123456789ABCDEF0"
        folder.mkdir(parents=True)
        _age(folder)
        _age(folder.parent)

    def _cut(self, path: Path) -> None:
        """Tears the last line: at least one byte goes, and one stays."""
        data = path.read_bytes()
        last = data.splitlines(keepends=True)[-1]
        path.write_bytes(data[: len(data) - self.chosen.randint(1, len(last) - 1)])


def _age(path: Path) -> None:
    old = time.time() - _LONG_AGO_SECONDS
    os.utime(path, (old, old))


def numbers_of(path: Path) -> Iterator[int]:
    """The numbers that the lines of a text file begin with."""
    for line in path.read_bytes().splitlines() if path.exists() else ():
        if line.strip():
            yield int(line[:10])
