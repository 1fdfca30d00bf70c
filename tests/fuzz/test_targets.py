"""The fuzzing targets are complete, and each takes its own seeds and what little can be done to them."""

import random

import pytest

from symsrv.formats import FORMATS
from symsrv.packing import ARCHIVES
from tests.fuzz import seeds, targets
from tests.fuzz.targets import TARGETS


@pytest.fixture(autouse=True)
def _tidy():
    yield
    targets.forget()


def test_every_format_and_every_archive_has_a_target():
    assert {one.name for one in FORMATS} <= set(TARGETS)
    assert {one.name for one in ARCHIVES} <= set(TARGETS)


def test_everything_that_looks_into_files_has_a_target():
    assert {f"modules-{one}" for one in ("minidump", "core", "pe", "elf", "macho")} <= set(TARGETS)
    assert {f"contents-{one}" for one in ("elf", "pdb", "portable-pdb")} <= set(TARGETS)


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_seeds_are_of_their_format(one):
    found = list(seeds.of_format(one))

    assert len(found) >= 1
    assert all(one.sniff(data[:64]) for data in found)


@pytest.mark.parametrize("one", ARCHIVES, ids=lambda one: one.name)
def test_seeds_are_archives_of_their_kind(one):
    found = list(seeds.of_archive(one))

    assert found
    assert all(one.sniff(data[:512]) for data in found)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_its_seeds_whole_cut_and_turned(name):
    chance = random.Random(name)
    for data in TARGETS[name].seeds():
        TARGETS[name].once(data)
        TARGETS[name].once(data[: chance.randrange(len(data))])
        turned = bytearray(data)
        turned[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        TARGETS[name].once(bytes(turned))
    TARGETS[name].once(b"")
