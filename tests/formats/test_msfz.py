import pytest

from symsrv.formats.base import HEAD_BYTES, BytesReader
from symsrv.formats.msfz import Msfz
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import DEBUG_INFO
from tests.made import corpus
from tests.made.msfz_builder import MAGIC, NIL, ZSTD, build_msfz
from tests.made.pdb_builder import GUID_TEXT, MINI, dbi_stream, info_stream, module


def identified(data: bytes, name: str = "made.pdb"):
    (found,) = Msfz().identify(BytesReader(data), name)
    return found


def refused(data: bytes) -> str:
    with pytest.raises(NotIdentified) as caught:
        identified(data)
    return caught.value.reason


def values(found):
    assert {one.kind for one in found.ids} == {"msfz"}
    return [one.value for one in found.ids]


@pytest.mark.parametrize("entry", corpus.entries("msfz"))
def test_corpus(entry):
    found = identified(entry.path.read_bytes(), entry.path.name)

    assert found.debug_id == entry.expected["debug_id"]
    assert values(found) == [entry.expected["debug_id"].lower()]
    assert (found.name, found.debug_file, found.symbol_kind) == (entry.name, entry.name, "pri")
    assert found.notes == ("embeds 1 source file",)


def test_made():
    found = identified(build_msfz())

    assert (found.format, found.kind, found.symbol_kind, found.arch) == ("msfz", DEBUG_INFO, "pri", "x86_64")
    assert (found.debug_id, values(found), found.also) == (GUID_TEXT.upper() + "1", [GUID_TEXT + "1"], ())


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("a.pdz", "a.pdb"),
        ("A.PDZ", "A.PDB"),
        ("a.pdz.pdb", "a.pdz.pdb"),
        ("pdz", "pdz"),
        ("a.pdb", "a.pdb"),
    ],
)
def test_is_asked_for_as_pdb(name, asked):
    found = identified(build_msfz(), name)

    assert (found.name, found.debug_file) == (asked, asked)


def test_ages_as_in_a_pdb():
    assert values(identified(build_msfz(info=info_stream(age=4), dbi=dbi_stream(age=10)))) == [GUID_TEXT + "a"]
    without = identified(build_msfz(info=info_stream(age=3), dbi=NIL))
    assert (values(without), without.symbol_kind) == ([GUID_TEXT, GUID_TEXT + "0", GUID_TEXT + "3"], "typ")


def test_fastlink_is_unfit_for_a_store():
    assert identified(build_msfz(info=info_stream(features=(MINI,)))).unfit == "fastlink"


def test_lines_behind_many_modules_are_found_in_any_cut():
    modules = module("a" * 3000) * 5 + module(c13=8)

    for fragment_bytes, chunk_bytes in ((1 << 30, 1 << 20), (700, 1000), (64, 5000)):
        data = build_msfz(
            dbi=dbi_stream(modules=modules), fragment_bytes=fragment_bytes, chunk_bytes=chunk_bytes, plain=()
        )
        assert identified(data).symbol_kind == "pri"
    assert identified(build_msfz(dbi=dbi_stream(modules=module() * 300))).symbol_kind == "pub"


def test_sniffs_the_magic():
    assert Msfz().sniff(build_msfz()[:HEAD_BYTES])
    assert not Msfz().sniff(MAGIC[:-1])


def test_cut_anywhere():
    data = build_msfz(compression=ZSTD, directory_compression=ZSTD, chunk_bytes=200)
    whole = identified(data)

    for size in range(len(data)):
        try:
            assert identified(data[:size]).ids == whole.ids
        except NotIdentified:
            continue
