import pytest

from symsrv.formats import identify_path
from symsrv.formats.base import BytesReader
from symsrv.formats.pdb import Pdb
from symsrv.formats.structures.pdb_streams import MODULES_LIMIT_BYTES
from symsrv.model.identity import DEBUG_INFO
from tests.formats.checks import (
    check_against_manifest,
    check_keys,
    identified,
    needs_symbolic,
    refused,
    survives,
    symbolic_object,
)
from tests.made import corpus, zig
from tests.made.pdb_builder import GUID_TEXT, MINI, NIL, PAGE_SIZES, build_pdb, dbi_stream, info_stream, module

REFUSED = {"broken/pdb7-header-only.pdb": "truncated"}
# Column 4 of the refs.ptr that symstore.exe wrote, or the same rule applied by hand (symstore dossier 1.7).
SYMBOL_KINDS = {"pdb/bigage.pdb": "pub", "pdb/vc140.pdb": "typ", "pdb/vc142.pdb": "typ"}


def values(found):
    return [one.value for one in found.ids]


@pytest.mark.parametrize("entry", corpus.entries("pdb7"))
def test_corpus(entry):
    if entry.where in REFUSED:
        assert refused(entry.path.read_bytes()) == REFUSED[entry.where]
        return
    (found,) = identify_path(entry.path, entry.name)

    check_against_manifest(entry, found)
    check_keys(entry, found)
    guid, age, info_age = (entry.expected[field] for field in ("guid", "dbi_age", "info_age"))
    assert values(found)[0] == guid.lower() + ("" if age is None else f"{age:x}")
    assert age is not None or f"{guid.lower()}{info_age:x}" in values(found)
    assert found.symbol_kind == SYMBOL_KINDS.get(entry.where, "pri")
    assert found.debug_file == entry.name
    assert found.unfit == ("fastlink" if entry.where == "pdb/TicTacToe.pdb" else None)


@pytest.mark.parametrize("arch", zig.WINDOWS_TARGETS)
def test_linked_pdb_has_the_id_of_its_image(arch):
    pair = zig.linked(arch)
    (image,), (found,) = identify_path(pair.code), identify_path(pair.debug)

    assert (found.format, found.kind, found.arch, found.symbol_kind) == ("pdb", DEBUG_INFO, arch, "pri")
    assert found.debug_id == image.debug_id
    assert values(found) == [image.debug_id.lower()]


@needs_symbolic
@pytest.mark.parametrize("arch", zig.WINDOWS_TARGETS)
def test_linked_pdb_as_symbolic_reads_it(arch):
    pair = zig.linked(arch)

    (found,) = identify_path(pair.debug)

    assert found.debug_id.lower() == symbolic_object(pair.debug).debug_id.replace("-", "").lower()[:32] + "1"


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_every_page_size(page_size):
    assert identified(build_pdb(page_size=page_size, scattered=True)).debug_id == GUID_TEXT.upper() + "1"


def test_age_is_hexadecimal():
    found = identified(build_pdb(dbi=dbi_stream(age=10)))

    assert (found.debug_id, values(found)) == (GUID_TEXT.upper() + "a", [GUID_TEXT + "a"])


def test_dbi_age_counts_not_the_one_that_pdbstr_raises():
    found = identified(build_pdb(info=info_stream(age=4), dbi=dbi_stream(age=1)))

    assert values(found) == [GUID_TEXT + "1"]


@pytest.mark.parametrize("dbi", [None, NIL, b""])
def test_without_dbi_the_bare_guid_comes_first(dbi):
    found = identified(build_pdb(info=info_stream(age=3), dbi=dbi))

    assert values(found) == [GUID_TEXT, GUID_TEXT + "0", GUID_TEXT + "3"]
    assert (found.debug_id, found.arch, found.symbol_kind) == (None, None, "typ")


def test_dbi_age_zero_is_left_out():
    found = identified(build_pdb(info=info_stream(age=0), dbi=dbi_stream(age=0)))

    assert values(found) == [GUID_TEXT, GUID_TEXT + "0"]
    assert found.debug_id == GUID_TEXT.upper() + "0"


def test_unknown_dbi_header_leaves_the_info_age():
    found = identified(build_pdb(info=info_stream(age=5), dbi=b"unknown " * 20))

    assert values(found) == [GUID_TEXT + "5"]


@pytest.mark.parametrize(
    ("dbi", "kind"),
    [
        (dbi_stream(modules=module(c13=8)), "pri"),
        (dbi_stream(modules=module(c11=8)), "pri"),
        (dbi_stream(modules=module() * 3 + module(c13=8)), "pri"),
        (dbi_stream(modules=module("a" * 3000) * 5 + module(c13=8)), "pri"),
        (dbi_stream(modules=module() * 3), "pub"),
        (dbi_stream(modules=b""), "pub"),
        (dbi_stream(modules=module(c13=8), stripped=True), "pub"),
        (dbi_stream(modules=module() + module()[:70]), "pub"),
    ],
)
@pytest.mark.parametrize("page_size", [512, 4096])
def test_symbol_kind(page_size, dbi, kind):
    found = identified(build_pdb(page_size=page_size, dbi=dbi))

    assert (found.symbol_kind, found.notes) == (kind, ())


def test_looking_for_lines_is_bounded_and_says_so():
    modules = module("a" * 200) * 1000
    reader = BytesReader(build_pdb(dbi=dbi_stream(modules=modules + module(c13=8))))

    (found,) = Pdb().identify(reader, "a.pdb")

    assert found.symbol_kind == "pri"
    assert "assumed private" in found.notes[0]
    assert reader.bytes_read < MODULES_LIMIT_BYTES + 8192


@pytest.mark.parametrize("features", [(MINI,), (20140508, MINI)])
def test_fastlink_is_unfit_for_a_store(features):
    found = identified(build_pdb(info=info_stream(features=features)))

    assert found.unfit == "fastlink"
    assert "mspdbcmf.exe" in found.notes[0]


def test_features_behind_vc110_are_none():
    assert identified(build_pdb(info=info_stream(features=(20091201, MINI)))).debug_id


@pytest.mark.parametrize("cut", [28, 30, 36, 40, 52, 60])
def test_named_streams_that_end_early_are_no_features(cut):
    assert identified(build_pdb(info=info_stream(features=(MINI,))[:cut])).debug_id


def test_no_info_stream_no_id():
    assert refused(build_pdb(info=b"")) == "no-id"


def test_info_stream_from_before_guids():
    assert refused(build_pdb(info=info_stream(version=19970604))) == "malformed"


def test_cut_anywhere():
    data = build_pdb(page_size=512)
    whole = identified(data)

    for size in range(len(data)):
        found = survives(data[:size])
        assert found is None or found.ids == whole.ids
