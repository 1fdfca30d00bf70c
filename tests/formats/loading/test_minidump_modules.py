"""Module lists of minidumps: those of the corpus as its peers read them, and built ones with every kind of record."""

import contextlib
import json
import struct
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symsrv.formats.base import BytesReader
from symsrv.formats.loading.minidump_modules import MODULES_LIMIT, minidump_modules
from symsrv.model.errors import NotIdentified
from symsrv.model.ids import SymbolId
from symsrv.model.modules import Module
from tests.made import corpus
from tests.made.minidump_builder import (
    ANDROID,
    BUILD_ID,
    GUID,
    LINUX,
    MACOS,
    WINDOWS,
    Loaded,
    bpel,
    build_minidump,
    nb10,
    rsds,
)

BUDGET = 1 << 26
EVERY_KIND = [
    Loaded("C:\\out\\crash.exe", rsds(), stamp=0x5AB38077, version=(6, 2, 14393, 1715)),
    Loaded("C:\\old\\old.dll", nb10(), stamp=1),
    Loaded("/lib/libc.so.6", bpel()),
    Loaded("C:\\out\\noids.dll"),
]


def listed(data: bytes) -> list[Module]:
    return list(minidump_modules(BytesReader(data, BUDGET)))


def survives(data: bytes) -> list[Module]:
    """What is listed before the end or the refusal; any other error fails the test."""
    found = []
    with contextlib.suppress(NotIdentified):
        for one in minidump_modules(BytesReader(data, BUDGET)):
            json.dumps(one.to_record())
            found.append(one)
    return found


def refusal(data: bytes) -> str:
    with pytest.raises(NotIdentified) as caught:
        listed(data)
    assert str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("entry", corpus.entries("mdmp"))
def test_corpus_is_read_as_its_peers_read_it(entry):
    wanted = entry.expected.get("modules")
    if not isinstance(wanted, list):
        assert refusal(entry.path.read_bytes()) in ("malformed", "truncated")
        return
    found = listed(entry.path.read_bytes())

    assert [one.path for one in found] == [one["code_file"] for one in wanted]
    for one, record in zip(found, wanted, strict=True):
        assert one.base == int(record["base"], 16)
        assert one.size == record["size"]
        assert one.debug_id == record["debug_id"]
        assert one.debug_file == record.get("debug_file")
        assert one.build_id == record.get("build_id")
        if int(record["timestamp"], 16) or record["cv"] != "RSDS":
            assert one.code_id == record["code_id"]
        else:
            # The manifest prints stamp 0 and the size; symbolicator's snapshots of the same dump have the UUID.
            assert one.code_id == one.debug_id[:32].lower()
            assert one.code_ids == (SymbolId("uuid", one.code_id),)


def test_rsds_of_windows():
    (one,) = listed(build_minidump([EVERY_KIND[0]]))

    assert one.to_record() == {
        "name": "crash.exe",
        "path": "C:\\out\\crash.exe",
        "code_id": "5AB380779000",
        "debug_id": "3249D99D0C4049318610F4E4FB0B69361",
        "debug_file": "C:\\out\\crash.pdb",
        "build_id": None,
        "version": "6.2.14393.1715",
        "base": 0x10000,
        "size": 0x9000,
    }
    assert one.code_ids == (SymbolId("pe", "5ab380779000"),)
    # A portable PDB leaves the same record, so it is asked for second.
    assert one.debug_ids == (
        SymbolId("debug", "3249d99d0c4049318610f4e4fb0b69361"),
        SymbolId("debug", "3249d99d0c4049318610f4e4fb0b6936ffffffff"),
    )


def test_age_is_hexadecimal_and_only_age_one_may_be_portable():
    (one,) = listed(build_minidump([Loaded("a.exe", rsds(age=26))]))

    assert one.debug_id == "3249D99D0C4049318610F4E4FB0B69361a"
    assert one.debug_ids == (SymbolId("debug", "3249d99d0c4049318610f4e4fb0b69361a"),)


def test_nb10():
    (one,) = listed(build_minidump([EVERY_KIND[1]]))

    assert (one.debug_id, one.debug_file) == ("5555CD4F2a", "old.pdb")
    assert one.debug_ids == (SymbolId("pe", "5555cd4f2a"),)


@pytest.mark.parametrize("platform", [LINUX, ANDROID, None])
def test_bpel_is_the_whole_build_id(platform):
    (one,) = listed(build_minidump([EVERY_KIND[2]], platform=platform))

    assert one.build_id == one.code_id == BUILD_ID.hex()
    assert one.debug_id == "E45DB8DFAF2D09FD640C8FE377D572DE0"
    assert one.code_ids == (SymbolId("build", BUILD_ID.hex()),)
    assert one.debug_ids == (SymbolId("build", BUILD_ID.hex()), SymbolId("debug", one.debug_id.lower()))


@pytest.mark.parametrize(
    ("raw", "debug_id"),
    [
        (bytes.fromhex("10faa6bbaab83db3"), "BBA6FA10B8AAB33D00000000000000000"),
        (b"\1", "000000010000000000000000000000000"),
        (b"\0" * 20, None),
        (b"", None),
    ],
)
def test_bpel_of_other_lengths(raw, debug_id):
    (one,) = listed(build_minidump([Loaded("/lib/x.so", bpel(raw))], platform=LINUX))

    assert one.debug_id == debug_id
    assert one.build_id == (raw.hex() if debug_id else None)


def test_rsds_of_linux_is_the_beginning_of_a_build_id():
    (one,) = listed(build_minidump([Loaded("/lib/x.so", rsds(BUILD_ID[:16], 0, b"x.so"))], platform=LINUX))

    assert one.debug_id == "E45DB8DFAF2D09FD640C8FE377D572DE0"
    assert (one.code_id, one.build_id, one.code_ids) == (None, None, ())
    assert one.debug_ids == (SymbolId("debug", one.debug_id.lower()),)


def test_rsds_of_macos_is_the_uuid():
    (one,) = listed(build_minidump([Loaded("/usr/lib/x.dylib", rsds(age=0, path=b"x.dylib"))], platform=MACOS))

    assert one.debug_id == "3249D99D0C4049318610F4E4FB0B69360"
    assert one.code_id == "3249d99d0c4049318610f4e4fb0b6936"
    assert one.code_ids == (SymbolId("uuid", one.code_id),)
    assert one.debug_ids[0] == SymbolId("uuid", one.code_id)


@pytest.mark.parametrize("platform", [LINUX, MACOS, WINDOWS])
@pytest.mark.parametrize(
    "record", [rsds(bytes(16), 0, b"x"), b"", b"RSDS", b"RSDS" + GUID, b"NB10", b"LEpB", b"????" * 9]
)
def test_records_without_an_id(record, platform):
    (one,) = listed(build_minidump([Loaded("x", record, size=0)], platform=platform))

    assert (one.code_id, one.debug_id, one.build_id) == (None, None, None)
    assert (one.code_ids, one.debug_ids) == ((), ())


def test_names_are_the_last_component():
    paths = ["C:\\a\\b.dll", "/usr/lib/b.so", "linux-vdso.so.1", "/tmp/b.so (deleted)", "", "/", "/ü/\U0001f4a5.so"]

    found = listed(build_minidump([Loaded(one) for one in paths], platform=LINUX))

    assert [one.path for one in found] == paths
    assert [one.name for one in found] == ["b.dll", "b.so", "linux-vdso.so.1", "b.so", "", "", "\U0001f4a5.so"]


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("order", "<>")
def test_both_byte_orders_and_both_alignments(order, aligned):
    guid = GUID if order == "<" else bytes.fromhex("3249D99D0C4049318610F4E4FB0B6936")
    records = [rsds(guid, order=order), nb10(order=order), bpel(order=order)]

    found = listed(build_minidump([Loaded("é.exe", one) for one in records], order=order, aligned=aligned))

    assert [one.path for one in found] == ["é.exe"] * 3
    assert [one.debug_id for one in found] == [
        "3249D99D0C4049318610F4E4FB0B69361",
        "5555CD4F2a",
        "E45DB8DFAF2D09FD640C8FE377D572DE0",
    ]


def test_unloaded_modules_are_not_listed():
    assert [one.name for one in listed(build_minidump(unloaded=["gone.dll"]))] == ["crash.exe"]


def test_no_modules():
    assert listed(build_minidump([])) == []
    assert refusal(build_minidump()[:32]) == "truncated"
    assert refusal(b"MDMP" + bytes(28)) == "malformed"
    assert refusal(b"MZ") == "unknown-format"


@pytest.mark.parametrize("count", [2, MODULES_LIMIT, MODULES_LIMIT + 1, 0xFFFFFFFF])
def test_more_modules_than_there_are(count):
    data = build_minidump([Loaded("a")], count=count)
    survives(data)

    assert refusal(data) == ("too-complex" if count > MODULES_LIMIT else "truncated")


def test_more_streams_than_there_are():
    data = bytearray(build_minidump())
    data[8:12] = struct.pack("<I", 0xFFFFFFFF)

    assert refusal(bytes(data)) == "too-complex"


@pytest.mark.parametrize("change", [{"name_at": 0xFFFFFFFF}, {"record_at": 0xFFFFFFF0}, {"record_size": 0xFFFFFFFF}])
def test_what_lies_outside_the_dump_is_told_last(change):
    data = build_minidump([Loaded("a.exe", rsds(), **change), Loaded("b.exe", rsds())])

    assert refusal(data) == "truncated"
    first, second = survives(data)
    assert first.base == 0x10000
    assert (second.name, second.debug_id) == ("b.exe", "3249D99D0C4049318610F4E4FB0B69361")


def test_names_that_share_their_bytes_end_at_the_budget():
    # Every module has the same name of 64 KiB, and says so 60,000 times.
    count = 60_000
    small = build_minidump([Loaded("")] * count, platform=LINUX)
    name = struct.pack("<I", 0xFFFFFFFE) + "x".encode("utf-16-le") * 40_000
    data = bytearray(small + name)
    places = struct.unpack_from("<I", data, 40)[0] + 4
    for index in range(count):
        struct.pack_into("<I", data, places + index * 108 + 20, len(small))
    began = time.monotonic()
    tracemalloc.start()
    reader = BytesReader(bytes(data), 1 << 24)

    with pytest.raises(NotIdentified) as caught:
        for _ in minidump_modules(reader):
            pass

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason == "too-complex"
    assert peak < 1 << 25
    assert time.monotonic() - began < 30


def test_cut_anywhere_lists_what_is_there():
    data = build_minidump(EVERY_KIND, unloaded=["gone.dll"])
    whole = listed(data)

    for size in range(len(data)):
        found = survives(data[:size])
        assert len(found) <= len(whole)
        assert [one.base for one in found] == [one.base for one in whole[: len(found)]]
        for one, full in zip(found, whole, strict=False):
            assert one.name in ("", full.name)
            assert one.debug_id in (None, full.debug_id)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_flipped_bytes_are_listed_or_refused(data):
    sample = bytearray(build_minidump(EVERY_KIND, platform=data.draw(st.sampled_from([WINDOWS, LINUX, MACOS, None]))))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(sample) - 5))
        word = data.draw(st.one_of(st.sampled_from([0, 1, 0x7FFFFFFF, 0xFFFFFFFF]), st.integers(0, 0xFFFFFFFF)))
        width = data.draw(st.sampled_from([1, 2, 4]))
        sample[at : at + width] = word.to_bytes(4, "little")[:width]

    survives(bytes(sample))
