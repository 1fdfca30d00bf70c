import pytest

from symsrv.formats.structures.pdb_streams import DBI, Dbi, is_fastlink, pdb_identity, read_dbi, read_info, symbol_kind
from symsrv.model.errors import NotIdentified
from tests.made.pdb_builder import GUID_TEXT, MINI, dbi_stream, info_stream, module


class Memory:
    """Streams as a container gives them, in memory."""

    def __init__(self, *streams: bytes) -> None:
        self.streams = streams
        self.reads = 0

    def size(self, stream: int) -> int:
        return len(self.streams[stream]) if stream < len(self.streams) else 0

    def read(self, stream: int, offset: int, size: int) -> bytes:
        self.reads += 1
        return self.streams[stream][offset:][:size] if stream < len(self.streams) else b""


def test_identity_of_any_container():
    found = pdb_identity(Memory(b"", info_stream(), b"", dbi_stream()), "a.pdb", format="any", id_kind="other")

    assert (found.format, found.debug_file, found.debug_id) == ("any", "a.pdb", GUID_TEXT.upper() + "1")
    assert [(one.kind, one.value) for one in found.ids] == [("other", GUID_TEXT + "1")]


def test_two_reads_are_enough_for_most():
    streams = Memory(b"", info_stream(), b"", dbi_stream())

    assert pdb_identity(streams, "a.pdb").symbol_kind == "pri"
    assert streams.reads == 2


def test_info_header():
    assert read_info(info_stream(age=7)).age == 7
    assert read_info(info_stream()).guid == GUID_TEXT
    for head, reason in ((b"", "no-id"), (info_stream()[:27], "no-id"), (info_stream(version=19990604), "malformed")):
        with pytest.raises(NotIdentified) as caught:
            read_info(head)
        assert caught.value.reason == reason


def test_dbi_header():
    assert read_dbi(dbi_stream(9, modules=b"1234", stripped=True)) == Dbi(9, 4, True, 0x8664)
    assert read_dbi(dbi_stream(modules=b"")[:63]) is None
    assert read_dbi(dbi_stream(version=19960307)) is None
    assert read_dbi(bytes(64)) is None


def test_feature_codes_behind_a_map_larger_than_the_front():
    for features in ((), (MINI,)):
        info = info_stream(names={"a" * 2000: 4, "b": 5}, features=features)
        assert is_fastlink(Memory(b"", info), info[:1024]) is bool(features)


def test_symbol_kind_reads_on():
    dbi = dbi_stream(modules=module("a" * 5000) + module(c11=8))
    streams = Memory(b"", b"", b"", dbi)

    assert symbol_kind(streams, read_dbi(dbi), dbi[:1024]) == ("pri", ())
    assert streams.size(DBI) == len(dbi)
