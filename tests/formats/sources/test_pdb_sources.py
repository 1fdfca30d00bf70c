import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.sources import pdb_sources
from symsrv.formats.structures.msf import Msf
from symsrv.formats.structures.pdb_streams import pdb_identity
from symsrv.model.errors import NotIdentified
from tests.made import corpus
from tests.made.msfz_builder import build_msfz
from tests.made.pdb2_builder import build_pdb2, info2_stream
from tests.made.pdb_builder import NIL, build_pdb, info_stream

SRCSRV = "SRCSRV: ini ---\r\nVERSION=2\r\nc:\\möbel.c*x\r\nSRCSRV: end ---"
LINK = '{"documents":{"C:\\\\src\\\\*":"https://example.com/*"}}'
NAMES = {
    "/names": 2,
    "srcsrv": 5,
    "sourcelink": 6,
    "sourcelink$1": 7,
    "/src/headerblock": 4,
    "/src/files/c:\\a.c": 8,
    "/src/files/c:\\b.natvis": 9,
    "/LinkInfo": NIL,
}
MORE = [b"head", SRCSRV.encode(), b"\xef\xbb\xbf" + LINK.encode(), b"{}", b"int a;", b"<>"]
CONTAINERS = {
    "msf": lambda names, more: build_pdb(page_size=512, info=info_stream(names=names), more=more),
    "pdb2": lambda names, more: build_pdb2(info=info2_stream(names=names), more=more),
    "msfz": lambda names, more: build_msfz(info=info_stream(names=names), more=more),
}
READERS = (
    pdb_sources.named_streams,
    pdb_sources.srcsrv,
    pdb_sources.source_links,
    pdb_sources.source_link,
    pdb_sources.embedded_sources,
)


def refusal(read, data: bytes, *, budget: int = 1 << 20) -> str:
    with pytest.raises(NotIdentified) as caught:
        read(BytesReader(data, budget))
    return caught.value.reason


@pytest.mark.parametrize("container", CONTAINERS)
class TestContainers:
    def test_everything(self, container):
        data = CONTAINERS[container](NAMES, MORE)

        named, srcsrv, links, link, embedded = (read(BytesReader(data)) for read in READERS)

        assert named == NAMES
        assert (srcsrv, links, link) == (SRCSRV, (LINK, "{}"), LINK)
        assert embedded == ("c:\\a.c", "c:\\b.natvis")

    def test_nothing(self, container):
        data = CONTAINERS[container]({}, [])

        assert [read(BytesReader(data)) for read in READERS] == [{}, None, (), None, ()]

    def test_names_of_streams_that_are_not_there(self, container):
        data = CONTAINERS[container]({"srcsrv": 77, "sourcelink$3": NIL}, [])

        assert pdb_sources.srcsrv(BytesReader(data)) == ""
        assert pdb_sources.source_links(BytesReader(data)) == ("",)

    def test_text_larger_than_the_budget(self, container):
        data = CONTAINERS[container]({"srcsrv": 4}, [bytes(100_000)])

        assert len(pdb_sources.srcsrv(BytesReader(data))) == 100_000
        assert refusal(pdb_sources.srcsrv, data, budget=50_000) == "too-complex"


def test_stream_behind_thousands_of_others():
    more = [bytes([index % 101]) * (index % 700) for index in range(5000)]
    data = build_pdb(page_size=512, info=info_stream(names={"srcsrv": 4 + 4999}), more=more)

    assert pdb_sources.srcsrv(BytesReader(data)).encode() == more[4999]


def test_bytes_that_are_not_utf_8():
    data = build_pdb(info=info_stream(names={"srcsrv": 4}), more=[b"m\xf6bel"])

    assert pdb_sources.srcsrv(BytesReader(data)) == "m�bel"


@pytest.mark.parametrize("entry", [one for one in corpus.entries("pdb7") if "srcsrv" in str(one.id)] or [])
def test_corpus(entry):
    data = BytesReader(entry.path.read_bytes())

    assert pdb_sources.srcsrv(data).startswith("SRCSRV: ini ---")
    assert "/names" in pdb_sources.named_streams(data)


def test_another_file():
    assert refusal(pdb_sources.named_streams, b"x" * 100) == "unknown-format"
    assert refusal(pdb_sources.named_streams, b"") == "unknown-format"


@pytest.mark.parametrize("cut", [30, 36, 40, 52, 60])
def test_map_that_leads_outside_its_stream(cut):
    assert refusal(pdb_sources.named_streams, build_pdb(info=info_stream()[:cut])) == "malformed"


def test_names_that_share_their_bytes():
    # A long name under each of its offsets would come to the square of its length.
    name, count = 1000, 500
    info = (
        info_stream()[:28] + struct.pack("<I", name + 1) + b"a" * name + b"\0" + struct.pack("<4I", count, count, 0, 0)
    )
    info += b"".join(struct.pack("<2I", offset, 4) for offset in range(count)) + bytes(8)

    assert refusal(pdb_sources.named_streams, build_pdb(info=info)) == "malformed"


def noted(names: dict[str, int]) -> tuple[str, ...]:
    return pdb_identity(Msf(BytesReader(build_pdb(info=info_stream(names=names)))), "a.pdb").notes


@pytest.mark.parametrize(
    ("names", "notes"),
    [
        ({}, ()),
        ({"/names": 2}, ()),
        ({"srcsrv": 4}, ("source indexed (srcsrv)",)),
        ({"sourcelink": 4}, ("has Source Link",)),
        ({"sourcelink$1": 4, "sourcelink$2": 4}, ("has Source Link",)),
        ({"/src/headerblock": 4, "/src/files/a": 4}, ("embeds 1 source file",)),
        (NAMES, ("source indexed (srcsrv)", "has Source Link", "embeds 2 source files")),
        ({"not/srcsrv": 4, "mysrc": 4}, ()),
    ],
)
def test_notes(names, notes):
    assert noted(names) == notes


def test_notes_are_not_worth_a_read():
    read = {}
    for names in ({"/a" * 600: 4}, {"/src/files/" * 109 + "a": 4}):  # the same size
        data = BytesReader(build_pdb(info=info_stream(names=names), page_size=4096))
        (read[len(read)],) = (pdb_identity(Msf(data), "a.pdb").notes, data.bytes_read)[1:]
        assert pdb_identity(Msf(data), "a.pdb").notes == ()

    assert read[0] == read[1]


@given(
    container=st.sampled_from(sorted(CONTAINERS)),
    changes=st.lists(
        st.tuples(st.integers(0, 9000), st.sampled_from([0, 1, 0x7FFFFFFF, 1 << 31, NIL]) | st.integers(0, NIL)),
        min_size=1,
        max_size=8,
    ),
)
def test_mutated_files_are_read_or_not(container, changes):
    data = bytearray(CONTAINERS[container](NAMES, MORE))
    for at, word in changes:
        struct.pack_into("<I", data, at % (len(data) - 4), word)
    for read in READERS:
        try:
            read(BytesReader(bytes(data)))
        except NotIdentified:
            continue
