"""What every kind of archive is held to, whole, cut and with any byte turned."""

import random
import tarfile

import pytest

from symsrv.packing import ARCHIVES, ArchiveError, Limits, kind_of, members
from tests.made.archive_builder import COMPRESSORS, tar_of, zip_of
from tests.made.cab_builder import LZX, QUANTUM, STORED, LzxPacker, QuantumPacker, cab_of, stored
from tests.packing.checks import known, survives, unpacked, written

SMALL = {"a.txt": b"symbols and symbols and symbols", "d/b": bytes(100)}
MADE = {
    "zip": zip_of(SMALL),
    "tar": tar_of(SMALL, dialect=tarfile.USTAR_FORMAT)[:3072],
    "tar.gz": COMPRESSORS["gz"](tar_of(SMALL)),
    "tar.bz2": COMPRESSORS["bz2"](tar_of(SMALL)),
    "tar.xz": COMPRESSORS["xz"](tar_of(SMALL)),
    "tar.zst": COMPRESSORS["zst"](tar_of(SMALL)),
    "cab": cab_of(SMALL, stored, STORED),
    "cab.mszip": cab_of(SMALL),
    "cab.lzx": cab_of(SMALL, LzxPacker(16, block_bytes=60), LZX | 16 << 8),
    "cab.quantum": cab_of(SMALL, QuantumPacker(12), QUANTUM | 12 << 8),
    "gz": COMPRESSORS["gz"](b"symbols" * 10),
    "zst": COMPRESSORS["zst"](b"symbols" * 10),
}
WHOLE = {
    name: list(SMALL.items()) if name.startswith(("zip", "tar", "cab")) else [("made", b"symbols" * 10)]
    for name in MADE
}


def test_every_kind_of_the_table_is_tried():
    assert {kind_of(data[:512]) for data in MADE.values()} == set(ARCHIVES)


def test_names_are_words_and_differ():
    names = [one.name for one in ARCHIVES]

    assert len(set(names)) == len(names)
    assert all(name.isalpha() and name.islower() for name in names)


@pytest.mark.parametrize("kind", MADE)
def test_whole(tmp_path, kind):
    assert unpacked(written(tmp_path, MADE[kind], f"made.{kind}")) == WHOLE[kind]


@pytest.mark.parametrize("kind", MADE)
def test_members_that_are_passed_over(tmp_path, kind):
    names = [member.name for member in members(written(tmp_path, MADE[kind], f"made.{kind}"))]

    assert names == [name for name, _ in WHOLE[kind]]


@pytest.mark.parametrize("kind", MADE)
def test_every_second_member_is_read(tmp_path, kind):
    archive = members(written(tmp_path, MADE[kind], f"made.{kind}"))

    found = [b"".join(member.pieces()) for at, member in enumerate(archive) if at % 2]

    assert found == [data for _, data in WHOLE[kind][1::2]]


@pytest.mark.parametrize("kind", MADE)
def test_a_member_that_is_read_in_part(tmp_path, kind):
    archive = members(written(tmp_path, MADE[kind], f"made.{kind}"))
    names = []
    for member in archive:
        next(member.pieces())
        names.append(member.name)

    assert names == [name for name, _ in WHOLE[kind]]


@pytest.mark.parametrize("kind", MADE)
def test_cut_anywhere_it_is_damaged(tmp_path, kind):
    data = MADE[kind]
    end = 2560 if kind == "tar" else len(data)  # the first of the two closing blocks is enough
    for cut in range(8, end):
        path = written(tmp_path, data[:cut])
        if kind_of(data[:cut][:512]) is not None:
            assert unpacked(path)[-1][1] == "archive-damaged", cut


@pytest.mark.parametrize("kind", MADE)
def test_with_any_byte_turned_it_is_read_or_refused(tmp_path, kind):
    chance = random.Random(kind)
    data = MADE[kind]
    for at in [*range(min(len(data), 600)), *(chance.randrange(len(data)) for _ in range(200))]:
        turned = bytearray(data)
        turned[at] ^= 1 << chance.randrange(8)
        held = unpacked(written(tmp_path, bytes(turned)))
        assert len(held) < 100


@pytest.mark.parametrize("kind", MADE)
def test_many_turned_bytes(tmp_path, kind):
    chance = random.Random(kind)
    for _ in range(30):
        turned = bytearray(MADE[kind])
        for _ in range(chance.randrange(2, 12)):
            turned[chance.randrange(4, len(turned))] = chance.randrange(256)
        survives(written(tmp_path, bytes(turned)), seconds=5)


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("limits", [Limits(members=0), Limits(member_bytes=1), Limits(total_bytes=1)])
def test_every_limit_holds(tmp_path, kind, limits):
    found = unpacked(written(tmp_path, MADE[kind]), limits)

    assert found[-1] == (None, "archive-limit")


@pytest.mark.parametrize("one", ARCHIVES, ids=lambda one: one.name)
def test_sniff_never_raises(one):
    chance = random.Random(1)
    for data in MADE.values():
        for length in (0, 1, 2, 3, 9, 100, 511):
            one.sniff(data[:length])
    for length in (1, 16, 300, 512):
        for _ in range(50):
            assert not one.sniff(chance.randbytes(length))


@pytest.mark.parametrize("one", ARCHIVES, ids=lambda one: one.name)
def test_a_file_that_is_of_another_kind_is_refused_or_empty(tmp_path, one):
    """Between sniffing and reading a file may have been replaced."""
    for data in (b"", b"MZ", bytes(5000), *MADE.values()):
        path = written(tmp_path, data)
        try:
            assert sum(1 for _ in one.members(path, Limits())) < 10
        except ArchiveError as error:
            known(error)
