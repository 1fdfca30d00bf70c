import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.perfmap import HEAD_LIMIT_BYTES, PerfMap
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import DEBUG_INFO
from symsrv.model.ids import PERFMAP
from tests.made import corpus

SIGNATURE = "734D59D6DE0E96AA3C77B3E2ED498097"
SAMPLE = f"""\
FFFFFFFF 00 {SIGNATURE}
FFFFFFFE 00 1
FFFFFFFD 00 2
FFFFFFFC 00 3
FFFFFFFB 00 1
000115D0 0D Attribute::.ctor()
000115E0 3F Other::.ctor(System.Byte)
"""


def identified(text):
    reader = BytesReader(text if isinstance(text, bytes) else text.encode())
    (found,) = PerfMap().identify(reader, "a.ni.r2rmap")
    assert reader.bytes_read <= 4 * HEAD_LIMIT_BYTES
    return found


def refused(text):
    with pytest.raises(NotIdentified) as caught:
        identified(text)
    assert str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("entry", [one for one in corpus.entries("other") if "r2rmap" in str(one.id)])
def test_corpus(entry):
    data = entry.path.read_bytes()

    found = identified(data)

    assert PerfMap().sniff(data[:64])
    kind, version, signature = entry.keys[0]["key"].split("/")[1].split("-")
    assert [(one.kind, one.value) for one in found.ids] == [(kind, f"{version[1:]}-{signature}")]
    assert found.arch == "x86_64"


def test_signature_and_version():
    found = identified(SAMPLE)

    assert (found.format, found.kind, found.name, found.symbol_kind) == ("perfmap", DEBUG_INFO, "a.ni.r2rmap", "pub")
    assert [(one.kind, one.value) for one in found.ids] == [(PERFMAP, f"1-{SIGNATURE.lower()}")]
    assert (found.code_id, found.debug_id, found.notes) == (None, None, ())


@pytest.mark.parametrize(
    ("number", "arch"),
    [("1", "arm"), ("2", "arm64"), ("4", "x86"), ("5", "riscv64"), ("6", "loongarch64"), ("7", "wasm32"), ("99", None)],
)
def test_machines(number, arch):
    assert identified(SAMPLE.replace("FFFFFFFC 00 3", f"FFFFFFFC 00 {number}")).arch == arch


@pytest.mark.parametrize(
    "text",
    [
        SAMPLE.replace("\n", "\r\n"),
        SAMPLE.lower(),
        SAMPLE.replace(" 00 ", " 0 "),
        "\n".join(sorted(SAMPLE.splitlines()[:2])) + "\n",
    ],
)
def test_spellings(text):
    assert PerfMap().sniff(text.encode()[:64])
    assert identified(text).ids[0].value == f"1-{SIGNATURE.lower()}"


def test_later_versions():
    assert identified(SAMPLE.replace("FFFFFFFE 00 1", "FFFFFFFE 00 12")).ids[0].value == f"12-{SIGNATURE.lower()}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SAMPLE.replace("FFFFFFFE 00 1\n", ""), "malformed"),
        (SAMPLE.replace(SIGNATURE, SIGNATURE[:-1]), "malformed"),
        (SAMPLE.replace(SIGNATURE, SIGNATURE + "0"), "malformed"),
        (SAMPLE.replace(SIGNATURE, "0" * 32), "no-id"),
        (SAMPLE.replace("FFFFFFFE 00 1", "FFFFFFFE 00 A"), "malformed"),
        (SAMPLE.replace("FFFFFFFE 00 1", "FFFFFFFE 00 12345"), "malformed"),
        (f"FFFFFFFF 00 {SIGNATURE}\n", "truncated"),
        (f"FFFFFFFF 00 {SIGNATURE}\nFFFFFFFE 00 1", "truncated"),
    ],
)
def test_broken_headers(text, reason):
    assert refused(text) == reason


def test_sniff():
    head = SAMPLE.encode()[:64]
    assert PerfMap().sniff(head)
    for other in (b"", head[:40], head[1:], b"000115D0 0D f\n", b"FFFFFFFF 10 " + head[12:], b"FFFFFFFF is a number\n"):
        assert not PerfMap().sniff(other)


def test_cut_anywhere():
    whole = identified(SAMPLE)
    for size in range(len(SAMPLE)):
        if SAMPLE[:size].count("\n") < 2:
            assert refused(SAMPLE[:size]) == "truncated"
        else:
            assert identified(SAMPLE[:size]).ids == whole.ids


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_flipped_bytes(data):
    sample = bytearray(SAMPLE.encode())
    for _ in range(data.draw(st.integers(1, 5))):
        sample[data.draw(st.integers(0, len(sample) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = identified(bytes(sample))
    except NotIdentified:
        return
    assert json.dumps(found.to_record()).isprintable()
