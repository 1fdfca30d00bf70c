"""Stores of symstore.exe and the Python symstore package: what is known at once, and what a delete may take."""

import os
import time
from datetime import datetime

import pytest

from symsrv.ledger.index import Index
from symsrv.store import adopting as room
from symsrv.store import microsoft
from tests.crash.publishing import draft, image
from tests.store.stores import HOME, add_as_symstore_does, faults, kinds

KEY = "a.dll\\5AB380779000"
REFS = "a.dll/5AB380779000/refs.ptr"
LIST = "000Admin/0000000001"


@pytest.fixture
def root(tmp_path):
    """A store of symstore.exe: 1 and 2 have a.dll, 2 has b.dll in a list of its own form."""
    folder = tmp_path / "store"
    add_as_symstore_does(folder, image(tmp_path, "a.dll"))
    add_as_symstore_does(folder, image(tmp_path, "a.dll"), number=2)
    return folder


def homes(store, number) -> list[str]:
    store.catch_up()
    return store.index.homes_of([number])


def write(root, path, data: bytes) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(data)


def test_names_holders_and_ids_are_known_and_no_file_is_opened(root, opened, monkeypatch):
    store = opened()
    real = store._backend.open
    monkeypatch.setattr(store._backend, "open", lambda *_, **__: pytest.fail("opened a file"))

    assert [(one.number, one.foreign, one.product, one.files) for one in store.history()] == [
        (1, True, "prod", 1),
        (2, True, "prod", 1),
    ]
    assert store.index.holders([HOME]) == {HOME: [1, 2]}
    assert [file.home for file in store.search("5ab380779000", limit=9)] == [HOME]
    monkeypatch.setattr(store._backend, "open", real)
    assert store.reindex() == 1
    assert store.index.at(HOME).identities[0].format == "pe"


@pytest.mark.parametrize(
    "row",
    [
        "0000000001,add,ptr,10/09/99,00:08:32,Windows XP,x86 fre,Added from \\\\mybuilds\\symbols,",
        '0000000001,add,file,10/09/1999,00:08:32,"Windows XP","x86 fre","Added from \\\\mybuilds\\symbols",',
        "0000000001,add,file,10/09/1999,00:08,Windows XP,x86 fre,Added from \\\\mybuilds\\symbols",
    ],
    ids=["two digits of the year", "quoted", "no seconds, no last comma"],
)
@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["", "\r\n", "\n"])
def test_every_form_of_a_line(root, opened, row, code, end):
    write(root, microsoft.HISTORY, f"{row}{end}".encode(code))
    (root / LIST).replace(root / "000Admin" / "kept")
    write(root, microsoft.SERVER, b"")
    write(root, microsoft.LASTID, b"0000000001")

    (one,) = opened().history()

    assert (one.product, one.version) == ("Windows XP", "x86 fre")
    assert one.comment == "Added from \\\\mybuilds\\symbols"
    assert one.when.astimezone().replace(tzinfo=None) in (datetime(1999, 10, 9, 0, 8, 32), datetime(1999, 10, 9, 0, 8))


@pytest.mark.parametrize(
    "data",
    [
        b'"a.dll\\5AB380779000","C:\\x\\a.dll"\n',
        b"a.dll\\5AB380779000,C:\\x\\a.dll\r\n",
        b'"a.dll\\5AB380779000","/x/a.dll',
        b'"A.DLL\\5ab380779000","torn',
        '"a.dll\\5AB380779000","Ä"\r\n'.encode("utf-16"),
        '"a.dll\\5AB380779000","Ä"\r\n'.encode("latin-1"),
    ],
    ids=["lf", "bare", "open quote", "other case", "utf-16", "code page"],
)
def test_every_form_of_a_list(root, opened, data):
    write(root, LIST, data)

    assert homes(opened(), 1) == [HOME]


def test_a_name_in_a_code_page_is_one_name(opened, tmp_path):
    root = tmp_path / "store"
    add_as_symstore_does(root, image(tmp_path, "Ä.dll"), key="Ä.dll\\5AB380779000")
    write(root, LIST, '"Ä.dll\\5AB380779000","C:\\Ä.dll"\r\n'.encode("latin-1"))

    assert homes(opened(), 1) == ["Ä.dll/5AB380779000/Ä.dll"]


@pytest.mark.parametrize("listed", ["", "a.\\", "a\\"])
@pytest.mark.parametrize("prefix", ["a", "a."], ids=["as on Windows", "as on Linux"])
def test_a_list_of_a_two_tier_store(opened, tmp_path, prefix, listed):
    root = tmp_path / "store"
    write(root, "index2.txt", b"")
    add_as_symstore_does(root, image(tmp_path, "a.dll"), key=f"{prefix}\\{KEY}")
    write(root, LIST, f'"{listed}{KEY}","x"\r\n'.encode())

    assert homes(opened(), 1) == [f"{prefix}/{HOME}"]


def test_what_is_gone_from_a_two_tier_store_is_missed_where_it_should_lie(root, opened):
    write(root, "index2.txt", b"")
    (root / HOME).unlink()

    assert homes(opened(), 1) == [f"a/{HOME}"]


def test_a_file_in_one_tier_of_a_store_that_became_two_tier(root, opened):
    write(root, "index2.txt", b"")

    assert homes(opened(), 1) == [HOME]


def test_a_file_that_lies_there_twice_is_held_twice(root, opened):
    write(root, "a.dll/5AB380779000/a.dl_", b"MSCF")

    assert homes(opened(), 1) == ["a.dll/5AB380779000/a.dl_", HOME]


def test_lines_that_were_lost_are_read_where_they_still_are(root, opened):
    (root / microsoft.HISTORY).unlink()
    assert [one.product for one in opened(state="1").history()] == ["prod", "prod"]

    (root / microsoft.LASTID).unlink()
    assert [one.product for one in opened(state="2").history()] == ["prod", "prod"]

    (root / microsoft.SERVER).unlink()
    store = opened(state="3")
    assert list(store.history()) == []
    for number in (1, 2):
        os.utime(root / f"000Admin/{number:010d}", (0, 0))
    assert [(one.number, one.product, one.files) for one in store.history()] == [(1, "", 1), (2, "", 1)]


def test_a_list_that_was_retired_without_a_line_holds_nothing(root, opened):
    (root / LIST).rename(root / f"{LIST}.deleted")
    server = (root / microsoft.SERVER).read_bytes().splitlines(keepends=True)
    store = opened(state="1")
    assert homes(store, 1) == [HOME]

    write(root, microsoft.SERVER, server[1])
    assert homes(opened(state="2"), 1) == []


def test_a_number_under_which_another_tool_has_a_list_is_not_taken(root, opened, tmp_path):
    """lastid.txt was put back, and history lost."""
    write(root, microsoft.LASTID, b"0000000001")
    write(root, microsoft.HISTORY, b"")
    write(root, microsoft.SERVER, b"")
    before = (root / "000Admin/0000000002").read_bytes()
    store = opened()

    assert store.commit(draft(store, image(tmp_path, "n.dll"))).number == 3
    assert (root / "000Admin/0000000002").read_bytes() == before


def test_a_lastid_far_ahead_does_not_keep_anybody_waiting(root, opened, tmp_path):
    write(root, microsoft.LASTID, b"0900000000")
    store = opened()

    assert [one.number for one in store.history()] == [1, 2]
    assert store.commit(draft(store, image(tmp_path, "n.dll"))).number == 900000001
    assert [one.number for one in store.history()] == [1, 2, 900000001]
    assert store.delete([1])[0].number == 900000002


def test_delete_leaves_what_symstore_leaves(root, opened):
    store = opened()
    _first, second = (root / microsoft.SERVER).read_bytes().splitlines(keepends=True)
    history, listed = (root / microsoft.HISTORY).read_bytes(), (root / LIST).read_bytes()
    refs = (root / REFS).read_bytes().split(b"\r\n")

    store.delete([1])

    assert (root / REFS).read_bytes() == refs[1]
    assert (root / microsoft.SERVER).read_bytes() == second
    assert (root / microsoft.HISTORY).read_bytes() == history + b"\r\n0000000003,del,0000000001"
    assert (root / f"{LIST}.deleted").read_bytes() == listed
    assert (root / microsoft.LASTID).read_bytes() == b"0000000003"
    assert (root / HOME).exists()
    assert faults(store) == []

    store.delete([2])
    assert not (root / "a.dll").exists()
    assert faults(store) == []


@pytest.mark.parametrize(
    ("refs", "stays"),
    [
        (b'0000000009,file,"C:\\a.dll",bin,,N,,', True),
        (b"0000000002,file,C:\\a.dll", False),
        (b"nobody can read this", True),
        (b'0000000009,ptr,"C:\\a.dll",bin,,N,,', False),
        (b"", False),
        ("0000000009,file,x".encode("utf-16"), True),
    ],
    ids=["of nobody", "of one deleted", "unreadable", "a pointer's", "none", "utf-16"],
)
def test_a_file_that_refs_still_name_stays(root, opened, refs, stays):
    """Both transactions go; what is left of refs.ptr decides."""
    write(root, REFS, refs)
    store = opened()
    assert store.would_free(1, after=[2]) == {HOME: not stays}

    store.delete([1, 2])

    assert (root / HOME).exists() == stays
    assert (root / REFS).exists() == stays or refs.startswith(b"0000000009")


def test_a_store_without_refs_works_from_its_lists(root, opened):
    (root / REFS).unlink()
    store = opened()

    store.delete([2])
    assert (root / HOME).exists()
    assert not (root / REFS).exists()

    store.delete([1])
    assert not (root / "a.dll").exists()


def test_a_list_that_lost_a_line_is_outvoted_by_refs(root, opened):
    """2 holds the file by refs.ptr alone."""
    write(root, "000Admin/0000000002", b'"b.dll\\5AB380779000","C:\\b.dll"\r\n')
    store = opened()

    store.delete([1])
    assert (root / HOME).exists()


def test_what_a_tool_at_work_has_listed_stays(root, opened):
    """symstore.exe took number 3 and its list grows; lines come at the end. Ours is deleted meanwhile."""
    (root / REFS).unlink()
    write(root, microsoft.LASTID, b"0000000003")
    write(root, "000Admin/0000000003", f'"{KEY}","C:\\a.dll"\r\n'.encode())
    store = opened()

    assert [one.number for one in store.history()] == [1, 2]
    store.delete([1, 2])
    assert (root / HOME).exists()


def test_a_transaction_that_took_minutes_is_adopted_when_it_is_done(root, opened, tmp_path):
    """It took its number before ours, and wrote its lines after ours."""
    store = opened()
    write(root, microsoft.LASTID, b"0000000003")
    ours = store.commit(draft(store, image(tmp_path, "n.dll")))
    assert ours.number == 4
    assert [one.number for one in store.history()] == [1, 2, 4]

    add_as_symstore_does(root, image(tmp_path, "n.dll"), number=3, key="n.dll\\5AB380779000")

    assert [(one.number, one.foreign) for one in store.history()] == [(1, True), (2, True), (3, True), (4, False)]
    store.delete([4])
    assert (root / "n.dll/5AB380779000/n.dll").exists()
    write(root, microsoft.LASTID, b"0000000005")
    assert faults(store) == []


def test_we_and_symstore_take_turns(root, opened, tmp_path):
    store = opened()
    for number in (3, 5, 7):
        add_as_symstore_does(root, image(tmp_path, "a.dll"), number=number)
        assert store.commit(draft(store, image(tmp_path, "a.dll"))).number == number + 1

    for number in (2, 4, 7, 1, 3, 5, 6):
        assert (root / HOME).exists()
        store.delete([number])
    assert store.would_free(8) == {HOME: True}
    assert faults(store) == []
    store.delete([8])
    assert not (root / "a.dll").exists()
    assert faults(store) == []


def test_another_history_of_another_tool_is_noticed(root, opened, tmp_path):
    store = opened()
    assert len(list(store.history())) == 2
    store.close()
    for path in (microsoft.HISTORY, microsoft.SERVER):
        write(root, path, (root / path).read_bytes().replace(b"18:50:24", b"09:00:00"))

    assert {one.local_stamp for one in opened().history()} == {"08/10/2020,09:00:00"}


def test_a_missing_file_of_another_tool_is_named(root, opened):
    (root / HOME).unlink()

    assert kinds(opened()) == ["missing"]


@pytest.mark.parametrize(
    "row", [[], ["1", "add", "file"], ["1", "add", "file", "99/99/9999", "x"], ["1", "add", "", "", ""]]
)
def test_a_time_that_cannot_be_read_is_the_beginning(row):
    assert room._when(row).timestamp() == 0


def test_ten_thousand_names_are_adopted_in_seconds(tmp_path):
    """Linear in the files, as each list is read once and each place looked at once or twice."""
    root = tmp_path / "store"
    (root / "000Admin").mkdir(parents=True)
    lines = []
    for number in range(1, 41):
        keys = [f"m{place:03d}.dll\\{number:08X}9000" for place in range(50)]
        write(root, f"000Admin/{number:010d}", "".join(f'"{key}","C:\\x"\r\n' for key in keys).encode())
        lines.append(f'{number:010d},add,file,08/10/2020,18:50:24,"p","1","",')
    write(root, microsoft.HISTORY, "\r\n".join(lines).encode())
    write(root, microsoft.LASTID, b"0000000040")
    from symsrv.backends.disk import Disk
    from symsrv.store.catching_up import catch_up

    index = Index("sqlite://")
    started = time.monotonic()
    try:
        assert catch_up(Disk(root), index) == 40
        assert index.counts().files == 2000
    finally:
        index.close()
    assert time.monotonic() - started < 10
