import contextlib
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.formats import embedded
from symsrv.formats.base import READ_BUDGET_BYTES, BytesReader
from symsrv.formats.embedded import LIMIT_BYTES, PIECE_BYTES, Embedded
from symsrv.model.errors import ArchiveError, NotIdentified
from tests.made import corpus
from tests.made.pe_builder import Entry, build_pe, mpdb, nb10, rsds

PDB = b"BSJB" + bytes(range(256)) * 40
PORTABLE = Entry(rsds(b"/src/obj/made.pdb"), minor=0x504D)


def image(record, *others, by_address=False):
    return build_pe([*others, Entry(record, kind=17, minor=0x100, by_address=by_address)])


def unpacked(data):
    reader = BytesReader(data)
    return b"".join(embedded.pieces(reader, embedded.find(reader)))


@pytest.mark.parametrize("by_address", [False, True])
def test_found_and_unpacked(by_address):
    data = image(mpdb(PDB), PORTABLE, by_address=by_address)
    found = embedded.find(BytesReader(data))

    assert found == Embedded(data.index(b"MPDB") + 8, len(mpdb(PDB)) - 8, len(PDB), "made.pdb")
    assert unpacked(data) == PDB


@pytest.mark.parametrize("entry", corpus.entries("pe"))
def test_corpus(entry):
    reader = BytesReader(entry.path.read_bytes())
    if not entry.where.endswith("-embedded-ppdb.dll"):
        try:
            assert embedded.find(reader) is None
        except NotIdentified:
            assert entry.where.startswith("broken/")
        return
    found = embedded.find(reader)
    pdb = b"".join(embedded.pieces(reader, found))

    assert found.name == "Sentry.Samples.Console.Basic.pdb"
    assert pdb[:4] == b"BSJB"
    assert len(pdb) == found.size


def test_name_is_that_of_the_portable_entry():
    assert embedded.find(BytesReader(image(mpdb(PDB), Entry(rsds(b"a.ni.pdb")), PORTABLE))).name == "made.pdb"
    assert embedded.find(BytesReader(image(mpdb(PDB), Entry(nb10())))).name == "old.pdb"
    assert embedded.find(BytesReader(image(mpdb(PDB), Entry(rsds(b"con.pdb"), minor=0x504D)))).name is None
    assert embedded.find(BytesReader(image(mpdb(PDB), Entry(b"nonsense")))).name is None
    assert embedded.find(BytesReader(image(mpdb(PDB)))).name is None


@pytest.mark.parametrize("data", [b"", b"M", b"BSJB", b"\x7fELF", build_pe(), build_pe([PORTABLE])])
def test_nothing_embedded(data):
    assert embedded.find(BytesReader(data)) is None


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"MPDB", "truncated"),
        (b"", "truncated"),
        (b"XPDB" + mpdb(PDB)[4:], "malformed"),
        (mpdb(PDB, size=0xFFFFFFFF), "too-complex"),
        (mpdb(PDB, size=LIMIT_BYTES), "malformed"),
        (mpdb(PDB, packed=b""), "malformed"),
    ],
)
def test_claims_that_cannot_be(record, reason):
    with pytest.raises(NotIdentified) as caught:
        embedded.find(BytesReader(image(record)))
    assert caught.value.reason == reason


def test_entry_outside_the_file():
    data = image(mpdb(PDB))

    with pytest.raises(NotIdentified) as caught:
        embedded.find(BytesReader(data[:-1]))
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize(
    "record",
    [
        mpdb(PDB, size=len(PDB) - 1),
        mpdb(PDB, size=len(PDB) + 1),
        mpdb(PDB, size=0),
        mpdb(PDB, packed=b"\xff" * 100),
        mpdb(PDB)[:-10],
        mpdb(PDB, packed=zlib.compress(PDB)),
    ],
)
def test_lies_end_as_damage(record):
    with pytest.raises(ArchiveError) as caught:
        unpacked(image(record))
    assert caught.value.reason == "archive-damaged"


def test_bytes_behind_the_stream_do_no_harm():
    assert unpacked(image(mpdb(PDB) + bytes(7))) == PDB


def test_stream_that_is_whole_but_has_no_end():
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)

    assert unpacked(image(mpdb(PDB, packed=deflate.compress(PDB) + deflate.flush(zlib.Z_SYNC_FLUSH)))) == PDB


def test_larger_than_the_budget_in_small_pieces():
    pdb = bytes(3 * READ_BUDGET_BYTES)
    record = mpdb(pdb, packed=b"".join(_stored(pdb)))
    reader = BytesReader(image(record))
    found = embedded.find(reader)
    tracemalloc.start()
    sizes = [len(one) for one in embedded.pieces(reader, found)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(sizes) == len(pdb)
    assert max(sizes) <= PIECE_BYTES
    assert peak < 8 * PIECE_BYTES


def _stored(data):
    """Deflate blocks that pack nothing."""
    for at in range(0, len(data), 0xFFFF):
        piece = data[at : at + 0xFFFF]
        last = at + 0xFFFF >= len(data)
        yield bytes([last]) + len(piece).to_bytes(2, "little") + (len(piece) ^ 0xFFFF).to_bytes(2, "little") + piece


def test_bomb_ends_at_what_it_claims():
    data = image(mpdb(bytes(64 << 20), size=1000))
    reader = BytesReader(data)
    given_out = []
    with pytest.raises(ArchiveError):
        given_out.extend(len(one) for one in embedded.pieces(reader, embedded.find(reader)))

    assert sum(given_out) <= 1000


@given(packed=st.binary(max_size=200), size=st.integers(0, 5000))
def test_any_bytes_unpack_or_are_damaged(packed, size):
    data = image(mpdb(b"", size=size, packed=packed))
    with contextlib.suppress(NotIdentified, ArchiveError):
        assert len(unpacked(data)) == size
