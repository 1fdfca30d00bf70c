import contextlib
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symsrv.formats import embedded
from symsrv.formats.base import READ_BUDGET_BYTES, BytesReader
from symsrv.formats.sources import portable_sources
from symsrv.formats.sources.portable_sources import documents, embedded_sources, source_link
from symsrv.model.errors import NotIdentified
from tests.made import corpus
from tests.made.pe_builder import Entry, build_pe, mpdb
from tests.made.portable_builder import build_metadata, build_portable, compressed

NAMES = ["/src/a/Program.cs", "/src/a/b/Ä.cs", "/src/Program.cs", "alone.cs"]
MAP = '{"documents":{"/src/*":"https://example.org/raw/1234/*"}}'


def read(function, data):
    return function(BytesReader(data))


def refused(function, data):
    with pytest.raises(NotIdentified) as caught:
        function(BytesReader(data))
    return caught.value.reason


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("method_infos", [0, 5, 3000])
def test_all_three(wide, in_order, method_infos):
    data = build_portable(
        NAMES,
        embedded=[2, 4],
        source_link=MAP,
        methods=4000,
        method_infos=method_infos,
        in_order=in_order,
        wide=wide,
    )

    assert read(documents, data) == tuple(NAMES)
    assert sorted(read(embedded_sources, data)) == sorted([NAMES[1], NAMES[3]])
    assert read(source_link, data) == MAP


def test_nothing_of_it():
    for function, nothing in ((documents, ()), (embedded_sources, ()), (source_link, None)):
        assert read(function, build_portable()) == nothing


@pytest.mark.parametrize("separator", ["/", "\\", "", "→", "\U0001f600"])
def test_separators(separator):
    name = separator.join(("C:", "a", "b.cs"))

    assert read(documents, build_portable([name], separator=separator)) == (name,)


def test_same_document_embedded_twice_is_told_once():
    assert read(embedded_sources, build_portable(NAMES, embedded=[1, 1])) == (NAMES[0],)


def test_tables_that_were_edited_while_debugging():
    assert read(documents, build_portable(NAMES, tables_stream="#-")) == tuple(NAMES)


def test_source_link_with_a_mark_and_with_a_comma_too_many():
    assert read(source_link, build_portable(source_link=b"\xef\xbb\xbf{}")) == "{}"
    assert read(source_link, build_portable(source_link='{"documents":{},}')) == '{"documents":{},}'
    assert refused(source_link, build_portable(source_link=b"\xff\xfe")) == "malformed"


def test_methods_behind_the_documents_are_not_read():
    # 200,000 methods with information of their own take more than the budget.
    data = build_portable(NAMES, embedded=[3], source_link=MAP, methods=200_000, method_infos=200_000, wide=True)

    assert read(embedded_sources, data) == (NAMES[2],)
    assert read(source_link, data) == MAP


def test_embedded_source_of_a_document_that_is_not_there():
    assert refused(embedded_sources, build_portable(NAMES, embedded=[5])) == "malformed"


@pytest.mark.parametrize("function", [documents, embedded_sources, source_link])
def test_other_files(function):
    assert refused(function, b"MZ" + bytes(100)) == "unknown-format"
    assert refused(function, build_metadata([("#~", bytes(32))])) == "not-symbols"


@pytest.mark.parametrize("entry", corpus.entries("ppdb"))
def test_corpus(entry):
    data = entry.path.read_bytes()
    if not entry.expected:
        assert refused(documents, data) == "truncated"
        return
    names = read(documents, data)
    text = read(source_link, data)

    assert names
    assert all(name.endswith(".cs") for name in names)
    assert set(read(embedded_sources, data)) <= set(names)
    assert (text is not None) == (b'"documents"' in data)
    if text and entry.name != "SourceLink.pdbx":
        assert "documents" in json.loads(text)


def test_corpus_inside_of_an_image():
    entry = next((one for one in corpus.all_entries() if "embedded-ppdb" in one.where), None)
    if entry is None:
        pytest.skip("no corpus")
    reader = BytesReader(entry.path.read_bytes())
    pdb = b"".join(embedded.pieces(reader, embedded.find(reader)))

    assert read(documents, pdb)[0].endswith("Program.cs")


def test_made_one_inside_of_an_image():
    reader = BytesReader(build_pe([Entry(mpdb(build_portable(NAMES)), kind=17)]))

    assert read(documents, b"".join(embedded.pieces(reader, embedded.find(reader)))) == tuple(NAMES)


@pytest.mark.parametrize(("count", "parts", "size"), [(7000, 1, 200), (7000, 40, 1), (1, 2000, 30)])
def test_names_are_bounded(count, parts, size, monkeypatch):
    monkeypatch.setattr(portable_sources, "NAMES_LIMIT_BYTES", 1 << 20)
    data = build_portable(["/".join(["x" * size] * parts)] * count, wide=True)
    tracemalloc.start()
    try:
        assert refused(documents, data) == "too-complex"
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 8 * READ_BUDGET_BYTES


def test_cut_anywhere():
    data = build_portable(NAMES, embedded=[1], source_link=MAP)
    for size in range(len(data)):
        for function in (documents, embedded_sources, source_link):
            with contextlib.suppress(NotIdentified):
                read(function, data[:size])


@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8))
def test_mutations_are_read_or_refused(changes):
    data = bytearray(build_portable(NAMES, embedded=[1], source_link=MAP))
    for at, value in changes:
        data[min(at, len(data) - 1)] = value
    for function in (documents, embedded_sources, source_link):
        with contextlib.suppress(NotIdentified):
            read(function, bytes(data))


@given(number=st.integers(0, 0x1FFFFFFF))
def test_numbers_are_as_the_builder_makes_them(number):
    assert portable_sources.compressed(compressed(number)) == (number, len(compressed(number)))
