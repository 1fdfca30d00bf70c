"""Cabinets against other tools: what we write they read, what they write we read."""

import subprocess

import pytest

from symsrv.packing import write_cab
from tests.made.cab_builder import cab_of
from tests.packing.checks import unpacked
from tests.packing.test_cab import FILES, PACKERS
from tests.packing.test_cab_writing import DATA

pytestmark = pytest.mark.interop


def output(*command: object) -> bytes:
    return subprocess.run([*map(str, command)], check=True, capture_output=True, timeout=60).stdout


@pytest.mark.parametrize("what", DATA)
def test_ours_are_read_by_cabextract_and_gcab(peer, tmp_path, what):
    source, cabinet = tmp_path / "source", tmp_path / "foo.pd_"
    source.write_bytes(DATA[what])
    write_cab(source, cabinet, name="foo.pdb")

    assert output(peer("cabextract"), "-q", "-p", cabinet) == DATA[what]
    output(peer("gcab"), "-x", "-C", tmp_path, cabinet)
    assert (tmp_path / "foo.pdb").read_bytes() == DATA[what]


@pytest.mark.parametrize("what", DATA)
@pytest.mark.parametrize("compressed", [True, False])
def test_those_of_gcab_are_read(peer, tmp_path, what, compressed):
    source, cabinet = tmp_path / "foo.pdb", tmp_path / "foo.cab"
    source.write_bytes(DATA[what])
    output(peer("gcab"), "-cz" if compressed else "-c", "-n", cabinet, source)

    assert unpacked(cabinet) == [("foo.pdb", DATA[what])]


@pytest.mark.parametrize("kind", PACKERS)
def test_the_tests_own_cabinets_are_read_by_cabextract(peer, tmp_path, kind):
    path = tmp_path / "made.cab"
    path.write_bytes(cab_of(FILES, *PACKERS[kind]))

    assert output(peer("cabextract"), "-q", "-p", path) == b"".join(FILES.values())
