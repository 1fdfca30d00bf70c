"""What the tests of pulling from real servers share: the symbols that they have, and one fetch from an upstream."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symsrv.layouts import parse_any
from symsrv.mirror import open_upstream
from symsrv.mirror.base import Absent, FetchError
from symsrv.mirror.settings import UpstreamOptions
from symsrv.store import SymbolStore, open_store
from tests.made import zig
from tests.serve.site import publish

PASSWORD, PASSWORD_NAME = "s3cret-of-basic", "PULL_PASSWORD"
"""The password of every server here that wants one, and the environment variable that it is taken from."""


@dataclass(frozen=True)
class Symbols:
    """A store with a program for Windows, its PDB and a library for Linux, made by real linkers."""

    store: SymbolStore
    exe: str
    pdb: str
    elf: str
    folder: Path

    def bytes(self, key: str) -> bytes:
        return (self.folder / key).read_bytes()

    @property
    def build_id(self) -> str:
        return self.elf.split("/")[1].removeprefix("elf-buildid-")


def make_symbols(folder: Path) -> Symbols:
    pair, library = zig.linked("x86_64"), zig.elf()
    place = folder / "store"
    store = open_store(str(place), create=True, state=folder / "state")
    made = [pair.code, pair.debug, library.path]
    homes = publish(store, folder / "build", *((path.name, path.read_bytes()) for path in made))
    return Symbols(store, *homes, folder=place)


def fetch(options: UpstreamOptions, key: str, into: Path, **other: Any) -> bytes:
    """What an upstream gives for a key, by its first request that brings it; raises what the last one raised."""
    into.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=into))  # what an earlier fetch left would be gone on from
    upstream = open_upstream(options, **other)
    failed: FetchError = Absent("absent", "nothing was asked")
    try:
        for one in upstream.tries(parse_any(key)):
            try:
                return upstream.fetch(one, fresh).path.read_bytes()
            except Absent as error:
                failed = error
    finally:
        upstream.close()
    raise failed
