"""The forms of symstore.exe, held to what the real tool wrote (stores in the corpus) and to torn lines."""

from datetime import UTC, datetime

import pytest

from symsrv.backends.disk import Disk
from symsrv.model.records import Entry, Status, Transaction
from symsrv.store import microsoft

KEY = "crash.pdb/3249D99D0C4049318610F4E4FB0B69361"
ENTRY = Entry(f"{KEY}/crash.pdb", "C:\\out\\crash.pdb", Status.STORED, size=1, symbol_kind="pri")


def transaction(number: int = 1, **fields) -> Transaction:
    when = datetime(2020, 8, 10, 16, 50, 24, tzinfo=UTC)
    return Transaction(number, "add", when, "08/10/2020,18:50:24", product="prod", version="1.0.1", **fields)


def test_lines_are_those_of_the_real_tool():
    assert microsoft.add_line(transaction(comment="comment")) == (
        b'0000000001,add,file,08/10/2020,18:50:24,"prod","1.0.1","comment",'
    )
    assert microsoft.delete_line(4, 1) == b"0000000004,del,0000000001"
    assert microsoft.list_line(ENTRY) == (b'"crash.pdb\\3249D99D0C4049318610F4E4FB0B69361","C:\\out\\crash.pdb"')
    assert microsoft.ref_line(1, ENTRY) == b'0000000001,file,"C:\\out\\crash.pdb",pri,,N,,'


def test_quotes_and_line_breaks_cannot_leave_their_column():
    line = microsoft.add_line(transaction(comment='a "b"\r\n0000000009,add'))

    assert b"\n" not in line
    assert line.count(b'"') == 6


def test_stamp_is_in_this_machine_s_zone():
    when = datetime(2020, 8, 10, 16, 50, 24, tzinfo=UTC)

    assert microsoft.local_stamp(when) == when.astimezone().strftime("%m/%d/%Y,%H:%M:%S")


@pytest.mark.parametrize("terminated", [True, False], ids=["terminated", "separated"])
@pytest.mark.parametrize("before", [b"", b"first,line,,\r\n", b"first,line,,", b"first,line,,\r"])
def test_a_line_torn_anywhere_is_completed_once(before, terminated):
    line = b"0000000002,second,,"
    whole = before + microsoft.missing_part(before, line, terminated=terminated)
    assert whole.split(b"\r\n")[-1 - terminated] == line
    assert whole.endswith(b"\r\n") == terminated

    for cut in range(len(before), len(whole) + 1):
        torn = whole[:cut]
        mended = torn + microsoft.missing_part(torn, line, terminated=terminated)
        assert mended == whole
        assert microsoft.missing_part(mended, line, terminated=terminated) == b""


def test_last_number_is_the_highest_of_lastid_and_history(tmp_path):
    store = Disk(tmp_path)
    assert microsoft.last_number(store) == 0

    store.write(microsoft.LASTID, b"0000000003")
    store.write(microsoft.HISTORY, b"0000000004,del,0000000001\r\n0000000005,del,0000000002")
    assert microsoft.last_number(store) == 5

    store.write(microsoft.LASTID, b"\xef\xbb\xbfnonsense")
    assert microsoft.last_number(store) == 5


def test_lists_are_read_in_every_form_seen():
    quoted = b'"a.pdb\\1","C:\\x, y\\a.pdb"\r\n'
    bare = b"b.pdb\\2,C:\\b.pdb\r\n"
    left_open = b'"c.pdb\\3","/tmp/c.pdb\n"d.pdb\\4","/tmp/d.pdb\n'
    torn = b'"e.pd'

    assert microsoft.parse_list(quoted + bare + left_open + torn) == [
        ("a.pdb/1", "C:\\x, y\\a.pdb"),
        ("b.pdb/2", "C:\\b.pdb"),
        ("c.pdb/3", "/tmp/c.pdb"),
        ("d.pdb/4", "/tmp/d.pdb"),
    ]
    assert microsoft.parse_list(quoted.decode().encode("utf-16")) == [("a.pdb/1", "C:\\x, y\\a.pdb")]


def test_striking_a_reference_keeps_the_bytes_of_the_others(tmp_path):
    store = Disk(tmp_path)
    lines = [b'0000000001,file,"a",bin,,N,,', b'0000000002,file,"odd  spacing",pri,,Y,,', b"0000000003,ptr,x"]
    store.write(f"{KEY}/refs.ptr", b"\r\n".join(lines))

    microsoft.strike_refs(store, KEY, {1})
    assert store.read(f"{KEY}/refs.ptr") == b"\r\n".join(lines[1:])

    microsoft.strike_refs(store, KEY, {2, 3})
    assert store.stat(f"{KEY}/refs.ptr") is None


def test_lists_name_msfz_folders_and_may_have_the_prefix_of_two_tiers():
    data = b'"a.pdb\\1\\msfz0","x"\r\n"a.\\a.pdb\\1","x"\r\n"ab\\abc.pdb\\2","x"\r\n"ab\\abc.pdb\\2\\MSFZ0","x"\r\n'

    assert [key for key, _ in microsoft.parse_list(data)] == [
        "a.pdb/1/msfz0",
        "a.pdb/1",
        "abc.pdb/2",
        "abc.pdb/2/MSFZ0",
    ]


@pytest.mark.parametrize(
    "column", ["a.pdb", "..\\x", "a\\", "\\a", "zz\\abc.pdb\\2", "a/b\\c", "a\\b\\c\\d\\e", "a\\.."]
)
def test_what_is_no_key_of_a_list_is_left_out(column):
    assert microsoft.list_key(column) is None


@pytest.mark.parametrize("text", ["", "x", "-1", "²", "1" * 5000, "12345678901"])
def test_what_is_no_number_is_zero(text):
    assert microsoft.number_of(text) == 0
    assert microsoft.leading_number(f"{text},add") == 0


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le"])
@pytest.mark.parametrize("ended", [True, False])
def test_a_line_is_added_in_the_code_of_its_file_and_once(tmp_path, code, ended):
    store = Disk(tmp_path)
    before = ("0000000001,add,file,,,,,," + ("\r\n" if ended else "")).encode(code)
    store.write(microsoft.HISTORY, before)

    for _ in range(2):
        microsoft.put_history_line(store, b"0000000002,del,0000000001")

    after = store.read(microsoft.HISTORY)
    assert after.startswith(before)
    assert after[len(before) :].decode("utf-16-le") == ("" if ended else "\r\n") + "0000000002,del,0000000001"
    assert microsoft.parse_history(after).keys() == {1, 2}


def test_striking_keeps_the_line_ends_of_the_others(tmp_path):
    store = Disk(tmp_path)
    store.write(microsoft.SERVER, b"0000000001,add\n0000000002,add\r\n0000000003,add\n")
    store.write(f"{KEY}/refs.ptr", b"0000000001,file,a\n0000000002,file,b\n0000000003,file,c")

    assert microsoft.strike_server_lines(store, {3}) == 1
    assert microsoft.strike_refs(store, KEY, {3}) == 1

    assert store.read(microsoft.SERVER) == b"0000000001,add\n0000000002,add\r\n"
    assert store.read(f"{KEY}/refs.ptr") == b"0000000001,file,a\n0000000002,file,b"


def test_index_readers_get_lists_without_sources_and_nothing_else(tmp_path):
    store = Disk(tmp_path)
    microsoft.put_lastid(store, 2)
    microsoft.put_list(store, transaction(entries=(ENTRY,)))

    assert microsoft.for_index_readers(store, "lastid.txt") == b"0000000002"
    assert microsoft.for_index_readers(store, "0000000001") == b'"%s",""\r\n' % KEY.replace("/", "\\").encode()
    assert microsoft.for_index_readers(store, "0000000002") == b""
    for name in ("0000000003", "0000000000", "history.txt", "1"):
        assert microsoft.for_index_readers(store, name) is None
