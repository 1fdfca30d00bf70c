"""Files whose names are part of a dialect."""

import pytest

from tests.made.pdb_builder import build_pdb
from tests.made.pe_builder import build_pe


def test_what_sentrys_index_reader_asks(site):
    site.publish(("foo.pdb", build_pdb()), ("app.exe", build_pe()))
    site.publish(("app2.exe", build_pe()))
    site.store.delete([2])

    assert site.get("/000Admin/lastid.txt").body.strip() == b"0000000003"
    lines = site.get("/000Admin/0000000001").body.decode().splitlines()
    assert len(lines) == 2
    for line in lines:
        key, source = line.split(",")
        assert site.get("/" + key.strip('"').replace("\\", "/") + "/" + key.strip('"').split("\\")[0]).status == 200
        assert source == '""'  # where a build machine keeps its files is nobody's business
    assert site.get("/000Admin/0000000002").body == site.get("/000Admin/0000000003").body == b""
    assert site.get("/000Admin/0000000004").status == 404
    for name in ("server.txt", "history.txt", "0000000002.deleted", "0000000000", "1", "", "x/y"):
        assert site.get(f"/000Admin/{name}").status == 404, name


def test_pingme_is_always_there(site):
    assert (site.get("/pingme.txt").status, site.get("/pingme.txt").body) == (200, b"")


@pytest.mark.parametrize("path", ["/index2.txt", "/INDEX2.TXT"])
def test_index2_is_there_only_in_a_store_of_two_tiers(site, path):
    one_tier = site.get(path)
    (site.root / "index2.txt").write_bytes(b"what it says is nobody's business")
    two_tiers = site.get(path)

    assert (one_tier.status, one_tier.reason) == (404, "no-tiers")
    assert (two_tiers.status, two_tiers.body) == (200, b"")


def test_of_000admin_only_what_readers_need_is_shown(site):
    site.publish(("foo.pdb", build_pdb()))
    assert (site.root / "000Admin" / "server.txt").is_file()

    assert site.get("/000Admin/server.txt").reason == "hidden"
    assert site.get("/000ADMIN/LASTID.TXT").body == site.get("/000admin/lastid.txt").body
    assert site.get("/000Admin/lastid.txt", method="HEAD").headers["content-length"] == "10"
