"""Hashes of stored files are computed once for what lies there, and again when something else does."""

import hashlib

from symsrv.backends.disk import Disk
from symsrv.model.identity import Identity
from symsrv.model.ids import debug_id
from symsrv.store.comparing import Hashes, outranks


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def symbols(kind: str) -> list[Identity]:
    return [Identity("pdb", "debug", "a.pdb", (debug_id("0" * 32, 1),), symbol_kind=kind)]


def test_hash_follows_the_bytes(tmp_path):
    store = Disk(tmp_path)
    hashes = Hashes(store)
    store.write("a/1/a", b"one")

    assert hashes.of("a/1/a") == sha256(b"one")
    assert hashes.same("a/1/a", size=3, sha256=sha256(b"one"))
    assert not hashes.same("a/1/a", size=4, sha256=sha256(b"one"))

    store.write("a/1/a", b"two")
    assert hashes.of("a/1/a") == sha256(b"two")
    assert hashes.of("nothing") is None
    assert not hashes.same("nothing", size=0, sha256=sha256(b""))


def test_hash_is_remembered_for_an_unchanged_file(tmp_path):
    store = Disk(tmp_path)
    hashes = Hashes(store)
    store.write("a/1/a", b"one")
    stat = store.stat("a/1/a")
    assert hashes.remembered(stat) is None

    hashes.of("a/1/a")

    assert hashes.remembered(stat) == sha256(b"one")


def test_private_symbols_outrank_stripped_ones_and_nothing_else_does():
    assert outranks(symbols("pri"), symbols("pub"))
    assert not outranks(symbols("pub"), symbols("pri"))
    assert not outranks(symbols("pri"), symbols("pri"))
    assert not outranks(symbols("bin"), symbols("bin"))
    assert not outranks(symbols("pri"), [])
