"""Partners: a program's PDB is wished for when the program comes, unless it is here."""

from dataclasses import replace

import pytest

from symsrv.ingest import Source, publish
from symsrv.mirror.partners import partner_wishes
from symsrv.mirror.parts import Whole
from symsrv.mirror.rounds import Arrival
from symsrv.model.ask import Wants
from tests.ingest.files import elf, pdb, pe, place, written
from tests.mirror.wanting import want


@pytest.fixture
def disk(tmp_path):
    one = place(tmp_path / "store")
    yield one
    one.store.close()


def came(disk, data, *, wants=Wants.CODE, name="made.exe"):
    path = written(disk.root.parent / "body", data)
    its = want(1, path=r"C:\app\made.exe")
    its = replace(its, ask=replace(its.ask, wants=wants, name=name))
    return Arrival(its, Whole("body", name, "", len(data), "there", "", 0), path)


def test_the_pdb_that_a_program_names_is_wished_for(disk):
    [wish] = partner_wishes(disk.store, came(disk, pe(7)))

    assert (wish.ask.wants, wish.ask.name, wish.who) == (Wants.DEBUG, "made.pdb", "program:made.exe")
    assert wish.path == r"C:\app\made.exe"
    publish(disk.store, [Source(written(disk.root.parent / "out" / "made.pdb", pdb(7)), "made.pdb")])
    assert disk.store.find(wish.ask)


def test_one_that_is_here_is_not(disk):
    publish(disk.store, [Source(written(disk.root.parent / "out" / "made.pdb", pdb(7)), "made.pdb")])

    assert partner_wishes(disk.store, came(disk, pe(7))) == []


def test_what_only_came_as_its_upstream_is_followed_calls_for_nothing_elsewhere(disk):
    arrival = came(disk, pe(7))
    followed = replace(arrival, want=replace(arrival.want, who=("tail:vendor",)))

    assert partner_wishes(disk.store, followed) == []
    assert partner_wishes(disk.store, replace(arrival, want=replace(arrival.want, who=("tail:vendor", "serve"))))


@pytest.mark.parametrize(
    ("data", "wants", "name"),
    [
        (pe(7), Wants.DEBUG, "made.exe"),  # a debug file was wanted; it has no partner that it names
        (elf(7), Wants.CODE, "libmade.so"),
        (b"nothing", Wants.CODE, "made.exe"),
    ],
)
def test_nothing_else_has_a_partner(disk, data, wants, name):
    assert partner_wishes(disk.store, came(disk, data, wants=wants, name=name)) == []


def test_a_name_that_can_be_none_in_a_store_is_not_wished_for(disk):
    data = pe(7).replace(b"made.pdb", b"con\0.pdb")

    assert partner_wishes(disk.store, came(disk, data)) == []
