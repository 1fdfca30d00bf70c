"""Hashes of files that no record describes."""

import hashlib
import os

from symsrv.serve import hashes
from tests.made.pdb_builder import build_pdb
from tests.serve.site import PDB


def test_bytes_put_there_behind_our_back_do_not_get_the_recorded_etag(site):
    site.publish(("foo.pdb", build_pdb()))
    recorded = site.get("/" + PDB).headers["etag"]

    (site.root / PDB).write_bytes(b"other bytes")
    answer = site.get("/" + PDB)
    site.settle()
    later = site.get("/" + PDB)

    assert answer.body == later.body == b"other bytes"
    assert answer.headers.get("etag") != recorded
    assert later.headers["etag"] not in (recorded, None)


def test_a_file_without_a_record_gets_its_etag_a_little_later(site):
    (site.root / PDB).parent.mkdir(parents=True)
    (site.root / PDB).write_bytes(b"by hand")

    first = site.get("/" + PDB)
    site.settle()
    second = site.get("/" + PDB)

    assert "etag" not in first.headers
    assert site.get("/" + PDB, {"If-None-Match": second.headers["etag"]}).status == 304


def wanted(site, stat):
    async def want():
        site.app.hashes.want(stat)

    site.loop.run_until_complete(want())


def by_hand(site, data, path=PDB):
    (site.root / path).parent.mkdir(parents=True, exist_ok=True)
    (site.root / path).write_bytes(data)
    return site.store.look(path)


def test_the_hash_is_that_of_the_bytes_and_of_no_other_version(site):
    stat = by_hand(site, b"by hand")
    assert site.app.hashes.known(stat) is None

    wanted(site, stat)
    site.settle()
    os.utime(site.root / PDB, (1, 1))

    assert site.app.hashes.known(stat) == hashlib.sha256(b"by hand").hexdigest()
    assert site.app.hashes.known(site.store.look(PDB)) is None


def test_a_file_that_changed_or_went_before_it_was_read_gets_no_hash(site, caplog):
    changed = by_hand(site, b"by hand")
    os.utime(site.root / PDB, (1, 1))
    wanted(site, changed)
    site.settle()

    gone = site.store.look(PDB)
    (site.root / PDB).unlink()
    wanted(site, gone)
    site.settle()

    assert site.app.hashes.known(changed) is site.app.hashes.known(gone) is None
    assert not [one for one in caplog.records if one.levelname != "INFO"]


def test_one_file_is_read_at_a_time(site):
    first, second = by_hand(site, b"1"), by_hand(site, b"2", "other")

    async def both():
        site.app.hashes.want(first)
        site.app.hashes.want(second)

    site.loop.run_until_complete(both())
    site.settle()

    assert site.app.hashes.known(first)
    assert site.app.hashes.known(second) is None


def test_hashes_are_bounded(site, monkeypatch):
    monkeypatch.setattr(hashes, "REMEMBERED", 2)
    stats = [by_hand(site, b"%d" % number, f"file{number}") for number in range(3)]

    for stat in stats:
        wanted(site, stat)
        site.settle()

    assert [site.app.hashes.known(stat) is not None for stat in stats] == [False, True, True]
