"""What an upstream publishes of its transactions: in every form that a store may have, and when it lies."""

import json

import pytest

from symsrv.mirror import open_upstream
from symsrv.mirror.base import Absent, WrongContent
from symsrv.mirror.published import Publication, Spent
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.errors import NewerFormat
from symsrv.model.wants import want_key
from symsrv.store import open_store
from tests.made.pdb_builder import GUID_TEXT, build_pdb
from tests.made.pe_builder import build_pe
from tests.mirror.hosts import plain_host
from tests.serve.site import live, publish

PDB = f"debug:debug:{GUID_TEXT}1:foo.pdb"
EXE = "code:pe:0a1b2c3d3000:app.exe"


@pytest.fixture
def admin(tmp_path):
    folder = tmp_path / "host"
    (folder / "000Admin").mkdir(parents=True)
    (folder / "000Admin" / "lastid.txt").write_text("0000000003")
    return folder / "000Admin"


@pytest.fixture
def reading(admin):
    opened = []

    def read(url=None, *, reads=100, **options):
        upstream = open_upstream(UpstreamOptions(name="up", url=url or str(admin.parent), tries=1, **options))
        publication = Publication(upstream, reads=reads)
        opened.extend([upstream, publication])
        return publication

    yield read
    for one in opened:
        one.close()


def keys(published):
    return [None if ask is None else want_key(ask) for ask in published.files()]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'"foo.pdb\\{GUID_TEXT}1","C:\\out\\foo.pdb"\r\n"app.exe\\0A1B2C3D3000","x"\r\n', [PDB, EXE]),
        ("app.exe\\0A1B2C3D3000,C:\\out\\app.exe\n", [EXE]),
        (f'"fo\\foo.pdb\\{GUID_TEXT}1",""', [PDB]),
        (f'"foo.pdb\\{GUID_TEXT}1\\msfz0",""', [f"debug:msfz:{GUID_TEXT}1:foo.pdb"]),
        ('"..\\..\\etc\\passwd","x"\r\n"con.exe\\0A1B2C3D3000","x"\r\n"a/b\\0A1B2C3D3000",""', [None, None, None]),
        ('"app.exe\\nothing that is an id",""', [None]),
        ("\r\n\r\n", []),
        ('"' + "a" * 200_000 + "\r\n", [None]),
    ],
    ids=["quoted", "bare", "two tiers", "msfz", "names that lead elsewhere", "no id", "nothing", "a long line"],
)
def test_a_list_in_every_form(admin, reading, text, found):
    (admin / "0000000001").write_text(text)

    published = reading().transaction(1)

    assert (published.kind, published.product) == ("add", None)
    assert keys(published)[: len(found)] == found
    assert set(keys(published)[len(found) :]) <= {None}


@pytest.mark.parametrize("code", ["utf-16", "utf-8-sig"])
def test_a_list_with_a_mark(admin, reading, code):
    (admin / "0000000001").write_text('"app.exe\\0A1B2C3D3000","x"\r\n', encoding=code)

    assert keys(reading().transaction(1)) == [EXE]


def test_history_tells_products_and_deletes(admin, reading):
    (admin / "0000000001.deleted").write_text('"app.exe\\0A1B2C3D3000","x"\r\n')
    (admin / "0000000002").write_text(f'"foo.pdb\\{GUID_TEXT}1",""\r\n')
    (admin / "history.txt").write_text(
        '0000000001,add,file,08/10/2020,18:50:24,"old","1.0","",\r\n'
        '0000000002,add,file,08/10/2020,18:50:24,"new","2.0","",\r\n'
        "0000000003,del,0000000001"
    )

    publication = reading()

    assert publication.tells_deletes
    assert publication.last() == 3
    first, second, third = (publication.transaction(number) for number in (1, 2, 3))
    assert (first.kind, second.kind, third.kind) == ("none", "add", "del")
    assert (second.product, second.version, third.deletes) == ("new", "2.0", (1,))
    assert publication.emptied(1)
    assert not publication.emptied(2)
    assert not publication.emptied(7)


def test_our_own_documents_of_a_folder(tmp_path, reading):
    store = open_store(str(tmp_path / "own"), create=True, state=tmp_path / "state")
    publish(store, tmp_path / "build", ("foo.pdb", build_pdb()), ("app.exe", build_pe()))
    publish(store, tmp_path / "build", ("foo.pdb", build_pdb() + b"other"))  # a conflict holds nothing

    publication = reading(store.url)

    first = publication.transaction(1)
    assert (first.kind, first.product, first.version, keys(first)) == ("add", "app", "1.0", [PDB, EXE])
    conflict = publication.transaction(2)
    assert (conflict.kind, keys(conflict)) == ("none", [])
    store.delete([1])
    deleted, gone, beyond = (publication.transaction(number) for number in (1, 3, 4))
    assert (deleted.kind, gone.kind, gone.deletes, beyond.kind) == ("none", "del", (1,), "none")
    assert publication.tells_deletes
    store.close()


def test_what_symsrv_shows_over_http(tmp_path, reading):
    store = open_store(str(tmp_path / "own"), create=True, state=tmp_path / "state")
    publish(store, tmp_path / "build", ("foo.pdb", build_pdb()))
    publish(store, tmp_path / "build", ("app.exe", build_pe()))
    store.delete([1])

    with live(store) as (address, _):
        publication = reading(f"http://127.0.0.1:{address[1]}")

        assert publication.last() == 3
        assert [publication.transaction(number).kind for number in (1, 2, 3)] == ["none", "add", "none"]
        assert keys(publication.transaction(2)) == [EXE]
        assert publication.emptied(1)
        assert not publication.tells_deletes
    store.close()


@pytest.mark.parametrize(
    ("said", "reason"),
    [(None, Absent), ("", WrongContent), ("soon", WrongContent), ("1" * 40, WrongContent)],
    ids=["absent", "empty", "a word", "too long"],
)
def test_a_last_number_that_is_none(admin, reading, said, reason):
    (admin / "lastid.txt").unlink()
    if said is not None:
        (admin / "lastid.txt").write_text(said)

    with pytest.raises(reason) as caught:
        reading().last()

    assert caught.value.reason == "no-transactions"


def test_a_list_that_is_too_big_is_a_fault(admin, reading):
    (admin / "0000000001").write_text('"app.exe\\0A1B2C3D3000","x"\r\n' * 1000)

    assert reading(size_limit=4096).transaction(1).fault == "too-big"


@pytest.mark.parametrize(
    ("header", "outcome"),
    [
        ("{", "bad-document"),
        ("[1]", "bad-document"),
        ('{"format": 1, "number": 9}', "bad-document"),
        ('{"format": 99, "number": 1}', NewerFormat),
    ],
)
def test_a_document_that_cannot_be_one(tmp_path, reading, header, outcome):
    folder = tmp_path / "host" / ".symsrv" / "transactions"
    folder.mkdir(parents=True)
    (folder / "0000000001.jsonl").write_text(f"{header}\n")

    if isinstance(outcome, str):
        assert reading().transaction(1).fault == outcome
    else:
        with pytest.raises(outcome):
            reading().transaction(1)


def test_lines_of_a_document_that_name_nothing(tmp_path, reading):
    folder = tmp_path / "host" / ".symsrv" / "transactions"
    folder.mkdir(parents=True)
    lines = [{"format": 1, "number": 1, "type": "add", "product": 5, "deletes": 7}, {"home": 3}, {}, "x"]
    (folder / "0000000001.jsonl").write_text("\n".join([*map(json.dumps, lines), "not JSON"]))

    published = reading().transaction(1)

    assert (published.product, published.deletes) == ("5", ())
    assert keys(reading().transaction(1)) == [None] * 4


def test_reads_are_counted(admin, reading):
    with plain_host(admin.parent) as host:
        publication = reading(host.url, reads=2)
        publication.last()
        with pytest.raises(Spent):
            publication.transaction(1)

    assert len(host.asked) == 2
