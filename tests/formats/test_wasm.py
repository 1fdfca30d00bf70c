import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.wasm import SECTIONS_LIMIT, Wasm
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import BOTH, CODE, DEBUG_INFO
from symsrv.model.ids import WASM
from tests.formats.checks import needs_symbolic, symbolic_object
from tests.made import corpus, zig
from tests.made import wasm_builder as made
from tests.made.wasm_builder import BUILD_ID, DEBUG, FUNCTION, ID, build_wasm, custom, number, prefixed, section

REFUSED = {"broken/wasm-cut.wasm": "truncated", "wasm/test_module_no_buildid.wasm": "no-id"}
WHOLE = build_wasm((section(1, b"\0"), FUNCTION, DEBUG, ID))
MEMORY_64 = section(made.MEMORY, b"\1\4\1")
ENV = b"\3env"
relaxed = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def identified(data):
    reader = BytesReader(data)
    (found,) = Wasm().identify(reader, "made.wasm")
    assert reader.bytes_read < 65536
    return found


def refused(data):
    with pytest.raises(NotIdentified) as caught:
        Wasm().identify(BytesReader(data), "made.wasm")
    assert str(caught.value)
    return caught.value.reason


def survives(data):
    try:
        found = identified(data)
    except NotIdentified:
        return None
    assert found.ids
    assert json.dumps(found.to_record()).isprintable()
    return found


def imports(*each):
    return section(made.IMPORT, number(len(each)) + b"".join(each))


@pytest.mark.parametrize("entry", corpus.entries("wasm"))
def test_corpus(entry):
    if entry.where in REFUSED:
        assert refused(entry.path.read_bytes()) == REFUSED[entry.where]
        return
    found = identified(entry.path.read_bytes())

    assert (found.debug_id, found.code_id, found.build_id, found.arch) == (
        entry.expected["debug_id"],
        entry.expected["code_id"],
        entry.expected["build_id"],
        entry.arch,
    )
    # Both spellings are in the manifest: with the length byte for .NET's tools, without for all others.
    assert [one.value for one in found.ids] == [one["key"].split("/")[1] for one in entry.keys]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("where", "kind"),
    [("simple.wasm", BOTH), ("test_module_symbols.wasm", DEBUG_INFO), ("test_module.wasm", CODE)],
)
def test_corpus_kinds(where, kind):
    path = corpus.FOLDER / "wasm" / where
    if not path.exists():
        pytest.skip(f"no corpus of real files at {corpus.FOLDER}")

    assert identified(path.read_bytes()).kind == kind


@pytest.mark.parametrize(("style", "size"), [("sha1", 20), ("uuid", 16), ("fast", 16), ("0xdeadbeef", 4)])
def test_linked_modules(style, size):
    data = zig.wasm(style).read_bytes()

    found = identified(data)

    assert (found.format, found.kind, found.arch, found.symbol_kind) == ("wasm", BOTH, "wasm32", "pri")
    assert len(found.build_id) == 2 * size
    assert [one.value for one in found.ids] == [found.build_id, f"{size:02x}{found.build_id}"]
    assert {one.kind for one in found.ids} == {WASM}
    assert not style.startswith("0x") or found.build_id == style[2:]
    assert b"\x08build_id" + bytes.fromhex(found.ids[1].value) in data


def test_linked_without_debug_information_or_id():
    assert identified(zig.wasm(debug=False).read_bytes()).kind == CODE
    assert refused(zig.wasm("none").read_bytes()) == "no-id"


@needs_symbolic
def test_linked_module_as_symbolic_reads_it():
    # symbolic keeps the length byte, getsentry/symbolic issue 1069: its id is the second spelling.
    path = zig.wasm()
    other = symbolic_object(path)

    found = identified(path.read_bytes())

    assert other.code_id == found.ids[1].value
    assert other.debug_id.replace("-", "").upper() == found.ids[1].value[:32].upper()


@pytest.mark.parametrize(
    ("payload", "ids"),
    [
        (prefixed(), [BUILD_ID.hex(), "14" + BUILD_ID.hex()]),
        (prefixed(width=5), [BUILD_ID.hex(), "9480808000" + BUILD_ID.hex()]),
        (BUILD_ID, [BUILD_ID.hex()]),
        (b"\x13" + BUILD_ID, ["13" + BUILD_ID.hex()]),
        (prefixed(b"\7"), ["07", "0107"]),
        (b"\7", ["07"]),
        (prefixed(b"x" * 254), [(b"x" * 254).hex(), prefixed(b"x" * 254).hex()]),
        (prefixed(b"x" * 256), [(b"x" * 256).hex()]),
        (b"\xff" * 256, ["ff" * 256]),
    ],
)
def test_readings_of_the_build_id(payload, ids):
    found = identified(build_wasm((FUNCTION, custom("build_id", payload))))

    assert [one.value for one in found.ids] == ids
    assert found.build_id == found.code_id == ids[0]


@pytest.mark.parametrize("payload", [b"", b"\0", bytes(20), prefixed(bytes(20)), b"\xff" * 257, prefixed(b"x" * 257)])
def test_what_is_no_build_id(payload):
    assert refused(build_wasm((FUNCTION, custom("build_id", payload)))) == "no-id"


@pytest.mark.parametrize(
    ("raw", "debug_id"),
    [(BUILD_ID, "A3CCFE45DD2411A9A56A9D2B49F537A50"), (b"\xde\xad", "DEAD" + 28 * "0" + "0")],
)
def test_debug_id_is_not_swapped(raw, debug_id):
    assert identified(build_wasm((custom("build_id", prefixed(raw)),))).debug_id == debug_id


@pytest.mark.parametrize(
    ("sections", "kind", "column"),
    [
        ((FUNCTION, ID), CODE, "bin"),
        ((FUNCTION, ID, DEBUG), BOTH, "pri"),
        ((DEBUG, ID), DEBUG_INFO, "pri"),
        ((section(made.CODE, b"\0"), DEBUG, ID), DEBUG_INFO, "pri"),
        ((ID,), CODE, "bin"),
        ((FUNCTION, custom(".debug_line"), ID), CODE, "bin"),
        ((FUNCTION, custom("name", b"x"), custom("external_debug_info", b"x"), ID), CODE, "bin"),
    ],
)
def test_kind(sections, kind, column):
    found = identified(build_wasm(sections))

    assert (found.kind, found.symbol_kind, found.notes) == (kind, column, ())


@pytest.mark.parametrize(
    ("sections", "arch"),
    [
        ((MEMORY_64,), "wasm64"),
        ((section(made.MEMORY, b"\1\5\1\2"),), "wasm64"),
        ((section(made.MEMORY, b"\1\1\1\2"),), "wasm32"),
        ((section(made.MEMORY, b"\0"),), "wasm32"),
        ((section(made.MEMORY),), "wasm32"),
        ((imports(ENV + b"\1m\2\4\1"),), "wasm64"),
        ((imports(ENV + b"\1m\2\0\1"),), "wasm32"),
        ((imports(ENV + b"\1f\0\x80\1", ENV + b"\1t\1\x70\1\1\2", ENV + b"\1m\2\4\1"),), "wasm64"),
        ((imports(ENV + b"\1t\1\x70\0\1", ENV + b"\1g\3\x7e\1", ENV + b"\1e\4\0\1", ENV + b"\1m\2\4\1"),), "wasm64"),
        ((imports(ENV + b"\1x\7\0\1", ENV + b"\1m\2\4\1"),), "wasm32"),
        ((imports(ENV + b"\1g\3\x7e\1"),), "wasm32"),
        ((section(made.IMPORT, b"\x05\xff"),), "wasm32"),
    ],
)
def test_machine(sections, arch):
    assert identified(build_wasm((*sections, FUNCTION, ID))).arch == arch


def test_components():
    inner = section(1, build_wasm())

    assert refused(build_wasm((inner,), version=made.COMPONENT)) == "no-id"
    assert identified(build_wasm((inner, ID), version=made.COMPONENT)).kind == CODE


def test_first_build_id_counts():
    assert identified(build_wasm((ID, custom("build_id", prefixed(b"other"))))).build_id == BUILD_ID.hex()


def test_other_sections_are_passed():
    long_name = custom("d" + "a" * 100, b"\1\2")
    near = [custom("build_ids", b"x"), custom("build_i", b"x"), custom("build_id ", b"x"), custom("", b"x")]

    assert identified(build_wasm((long_name, *near, custom("build_id", BUILD_ID, name_size=99), ID))).ids[0].value == (
        BUILD_ID.hex()
    )


@pytest.mark.parametrize("tail", [b"\0", b"\0\0\0\0", b"\1\x7f", b"\1\xff\xff\xff\xff\xff\xff\xff"])
def test_id_before_broken_sections(tail):
    assert identified(build_wasm((FUNCTION, ID, tail))).notes
    assert refused(build_wasm((FUNCTION, tail))) in ("truncated", "malformed")


@pytest.mark.parametrize("version", [b"\2\0\0\0", b"\0\0\0\0", b"\x0e\0\1\0"])
def test_unknown_versions(version):
    assert refused(build_wasm(version=version)) == "malformed"


def test_sections_are_bounded():
    many = [section(1, b"\0")] * SECTIONS_LIMIT

    assert refused(build_wasm((*many, ID))) == "too-complex"
    assert identified(build_wasm((ID, *many))).notes


def test_sniff():
    assert Wasm().sniff(b"\0asm")
    assert not Wasm().sniff(b"\0as")


def test_cut_anywhere():
    whole = identified(WHOLE)
    for size in range(len(WHOLE)):
        found = survives(WHOLE[:size])
        assert found is None or found.ids == whole.ids
    with pytest.raises(NotIdentified):
        Wasm().identify(BytesReader(WHOLE[:6]), "made.wasm")


@relaxed
@given(data=st.data())
def test_flipped_bytes(data):
    sample = bytearray(build_wasm((MEMORY_64, imports(ENV + b"\1t\1\x70\1\1\2"), FUNCTION, DEBUG[:40], ID)))
    for _ in range(data.draw(st.integers(1, 8))):
        sample[data.draw(st.integers(4, len(sample) - 1))] = data.draw(st.integers(0, 255))
    survives(bytes(sample))
