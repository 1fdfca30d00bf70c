"""Cabinets: real ones, broken ones, and sets of them."""

import hashlib
import random

import pytest

from symsrv.packing import ArchiveError, Limits, members
from symsrv.packing.cab import Cab
from tests.made.cab_builder import LZX, MSZIP, QUANTUM, STORED, LzxPacker, QuantumPacker, cab, cab_of, mszip, stored
from tests.made.corpus import all_entries, entries
from tests.packing.checks import measured, reason, survives, unpacked, written

FILES = {"a.pdb": random.Random(1).randbytes(50) * 1000, "ü/b.dll": b"second", "empty": b""}
PACKERS = {
    "stored": (stored, STORED),
    "mszip": (mszip, MSZIP),
    "lzx": (lambda data: LzxPacker(17)(data), LZX | 17 << 8),
    "quantum": (lambda data: QuantumPacker(17)(data), QUANTUM | 17 << 8),
}
BROKEN = [one for one in all_entries() if one.where.startswith("broken/") and one.path.read_bytes()[:4] == b"MSCF"]


@pytest.mark.parametrize("kind", PACKERS)
def test_every_method(tmp_path, kind):
    assert unpacked(written(tmp_path, cab_of(FILES, *PACKERS[kind]))) == list(FILES.items())


@pytest.mark.parametrize("entry", entries("cab"))
def test_the_corpus(entry):
    if entry.where.startswith("broken/"):
        pytest.skip("broken on purpose")
    expected = {one["name"]: (one["size"], one["sha256"]) for one in entry.expected["members"]}

    found = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in unpacked(entry.path)}

    assert found == expected


@pytest.mark.parametrize("entry", BROKEN, ids=lambda one: one.where)
def test_broken_cabinets_are_answered_soon(entry):
    found = survives(entry.path, seconds=3, peak_bytes=8 << 20)

    assert found
    assert all(isinstance(what, str) or not what for _, what in found)


@pytest.mark.parametrize("kind", PACKERS)
def test_files_in_any_order_and_lying_over_each_other(tmp_path, kind):
    pack, method = PACKERS[kind]
    data = FILES["a.pdb"]
    listed = [(b"c", 100, 40_000, 0), (b"a", 100, 0, 0), (b"b", 100, 50, 0), (b"d", 100, 49_900, 0)]

    found = unpacked(written(tmp_path, cab(listed, (method, pack(data)))))

    assert found == [(name.decode(), data[at : at + size]) for name, size, at, _ in listed]


def test_files_that_lie_over_each_other_count_as_often_as_they_are_unpacked(tmp_path):
    listed = [(b"%d" % one, 1, 900_000 - one, 0) for one in range(1000)]
    path = written(tmp_path, cab(listed, (MSZIP, mszip(bytes(1_000_000)))))

    assert unpacked(path, Limits(free_bytes=5_000_000))[-1] == (None, "archive-limit")


def test_a_file_that_is_passed_over_is_not_unpacked(tmp_path):
    path = written(tmp_path, cab_of({"a": bytes(1_000_000), "b": b""}))
    names = [member.name for member in members(path, Limits(total_bytes=1, member_bytes=1 << 30))]

    assert names == ["a", "b"]


@pytest.mark.parametrize("reserves", [(0, 0, 0), (20, 0, 0), (0, 4, 0), (0, 0, 8), (1, 2, 3)])
def test_reserved_fields_are_passed_over(tmp_path, reserves):
    made = cab([(b"a", 4, 0, 0)], (STORED, stored(b"data")), reserves=reserves)

    assert unpacked(written(tmp_path, made)) == [("a", b"data")]


def test_several_folders(tmp_path):
    made = cab([(b"b", 3, 0, 1), (b"a", 3, 0, 0), (b"c", 1, 2, 1)], (MSZIP, mszip(b"one")), (STORED, stored(b"two")))

    assert unpacked(written(tmp_path, made)) == [("b", b"two"), ("a", b"one"), ("c", b"o")]


def test_names(tmp_path):
    listed = [("ü\\a".encode(), 0, 0, 0, 0xA0), (b"\xfc", 0, 0, 0, 0x20), (b"\xff", 0, 0, 0, 0xA0), (b"..\\x", 0, 0, 0)]

    found = unpacked(written(tmp_path, cab(listed, (STORED, stored(b"x")))))

    assert found == [("ü/a", b""), ("ü", b""), ("\ufffd", b""), ("../x", "bad-name")]


def test_files_of_a_set_of_cabinets_are_problems_and_the_rest_is_had(tmp_path):
    listed = [
        (b"before", 3, 0, 0xFFFD),
        (b"same", 1, 3, 0),
        (b"own", 3, 0, 1),
        (b"after", 9, 3, 0xFFFE),
        (b"all", 9, 0, 0xFFFF),
    ]
    made = cab(listed, (MSZIP, mszip(b"abc")), (STORED, stored(b"own")), flags=3, texts=b"1.cab\0disk 1\x003.cab\0\0")

    assert unpacked(written(tmp_path, made)) == [
        ("before", "archive-unsupported"),
        ("same", "archive-unsupported"),
        ("own", b"own"),
        ("after", "archive-unsupported"),
        ("all", "archive-unsupported"),
    ]


def test_a_folder_that_does_not_exist(tmp_path):
    made = cab([(b"a", 3, 0, 7), (b"b", 3, 0, 0)], (STORED, stored(b"abc")))

    assert unpacked(written(tmp_path, made)) == [("a", "archive-damaged"), ("b", b"abc")]


@pytest.mark.parametrize(("size", "offset"), [(4, 0), (1, 3), (0xFFFFFFFF, 0), (1, 0xFFFFFFFF)])
def test_a_file_longer_than_its_folder(tmp_path, size, offset):
    made = cab([(b"a", size, offset, 0)], (STORED, stored(b"abc")))

    assert unpacked(written(tmp_path, made)) == [("a", "archive-damaged")]


def test_a_damaged_folder_stays_so_and_the_next_is_had(tmp_path):
    made = cab([(b"a", 3, 0, 0), (b"b", 3, 0, 0), (b"c", 3, 0, 1)], (MSZIP, [(b"CK\xff", 3)]), (STORED, stored(b"abc")))

    assert unpacked(written(tmp_path, made)) == [("a", "archive-damaged"), ("b", "archive-damaged"), ("c", b"abc")]


@pytest.mark.parametrize("cut", [20, 37, 40, 50, 60])
def test_a_cut_header(tmp_path, cut):
    made = cab([(b"a", 3, 0, 0)], (STORED, stored(b"abc")), reserves=(4, 0, 0), flags=1, texts=b"one\0two\0")

    assert reason(written(tmp_path, made[:cut])) == "archive-damaged"


def test_another_version(tmp_path):
    made = bytearray(cab_of(FILES))
    made[25] = 2

    assert reason(written(tmp_path, bytes(made))) == "archive-unsupported"


def test_more_files_than_the_limit_are_refused_at_once(tmp_path):
    assert unpacked(written(tmp_path, cab_of(FILES)), Limits(members=2)) == [(None, "archive-limit")]


@pytest.mark.parametrize("kind", ["mszip", "lzx"])
def test_a_large_member_is_held_by_pieces_only(tmp_path, kind):
    pack, method = (mszip, MSZIP) if kind == "mszip" else (LzxPacker(21, block_bytes=1 << 22), LZX | 21 << 8)
    size = (40 << 20) if kind == "mszip" else (10 << 20)
    path = written(tmp_path, cab([(b"a", size, 0, 0)], (method, pack(bytes(size)))))
    lengths = []

    def read():
        for member in members(path, Limits(ratio=1 << 40)):
            lengths.extend(map(len, member.pieces()))

    assert measured(read) < 16 << 20
    assert sum(lengths) == size


def test_sniff():
    assert Cab().sniff(b"MSCF\0\0\0\0")
    assert not Cab().sniff(b"MSCF is a word")
    assert not Cab().sniff(b"MSCF")


def test_an_error_is_one_of_ours(tmp_path):
    with pytest.raises(ArchiveError, match="cut"):
        list(Cab().members(written(tmp_path, b"MSCF"), Limits()))
