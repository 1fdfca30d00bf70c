"""Access logs become wishes: each miss once, wherever the log went meanwhile."""

import gzip
import itertools
import os
import tracemalloc
from datetime import timedelta

import pytest

from symsrv.ledger.state import open_state
from symsrv.mirror import access_logs
from symsrv.mirror.access_logs import LINE_LIMIT_BYTES, LogFile, forget_old, learn, log_files, wished
from symsrv.model.errors import NotIdentified, StoreLocked
from tests.mirror.logs.samples import BEGUN, SERVERS, Asked, combined, log

PDB = "/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb"
EXE = "/app.exe/5AB380779000/app.exe"
ELF = "/buildid/dfb85de42daffd09640c8fe377d572de3e168920/debuginfo"
TEN = [
    Asked(PDB),
    Asked(PDB.replace("crash.pdb", "other.pdb"), status=200, second=1),
    Asked(EXE, second=2),
    Asked("/favicon.ico", second=3),
    Asked(PDB.lower(), method="HEAD", second=4),
    Asked(ELF, second=5),
    Asked("/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/file.ptr", second=6),
    Asked(PDB, second=7),
    Asked(EXE, method="POST", second=8),
    Asked(EXE, second=9),
]


@pytest.fixture
def write(tmp_path):
    def put(text, name="access.log"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    return put


def read(path, known=(), **options):
    """The wishes of a log as counts by name or id, and the last place."""
    one = LogFile(path, **options)
    counts, place = {}, None
    for batch in one.batches(known):
        place = batch.place
        for wish in batch.wishes:
            name = wish.ask.name and wish.ask.name.lower()
            counts[name] = counts.get(name, 0) + wish.count
    return counts, place, one


@pytest.mark.parametrize("server", SERVERS)
def test_ten_lines_with_six_misses_of_three_ids(write, server):
    counts, _, one = read(write(log(server, TEN)))

    assert counts == {"crash.pdb": 3, "app.exe": 2, None: 1}
    assert (one.tally.lines, one.tally.bad, one.tally.misses, one.tally.other) == (10, 0, 6, 2)
    assert one.kind == SERVERS[server][0]


def test_a_want_knows_its_first_and_its_last_time(write):
    (batch,) = LogFile(write(log("nginx", TEN))).batches()

    pdb = [wish for wish in batch.wishes if wish.ask.name == "crash.pdb"]

    assert [(one.count, one.seen) for one in pdb] == [(1, BEGUN), (2, BEGUN + timedelta(seconds=7))]
    assert {one.who for one in batch.wishes} == {"log:access.log"}


def test_a_debugger_that_tries_the_packed_name_too_wishes_once(write):
    packed = PDB[:-1] + "_"
    asked = [Asked(PDB), Asked(packed), Asked(PDB), Asked(packed), Asked(EXE[:-1] + "_")]

    counts, _, _ = read(write(log("nginx", asked)))

    assert counts == {"crash.pdb": 2, "app.exe": 1}


@pytest.mark.parametrize(
    ("server", "count"), [("nginx", None), ("caddy", None), ("s3", 1), ("gcs", 1), ("cloudfront", 1)]
)
def test_a_bucket_says_403_for_what_it_does_not_have(write, server, count):
    counts, _, one = read(write(log(server, [Asked(PDB, status=403), Asked("/a", status=200)])))

    assert counts.get("crash.pdb") == count
    assert one.tally.forbidden == (count or 0)


def test_symbols_below_a_path(write):
    asked = [Asked("/sym/store" + PDB), Asked("/other" + EXE)]
    path = write(log("nginx", asked))

    assert read(path)[0] == {"crash.pdb": 1, "app.exe": 1}
    assert read(path, prefix="/sym/store/")[0] == {"crash.pdb": 1}
    assert read(path, prefix="sym")[0] == {}
    assert read(write(log("nginx", [Asked(PDB)]), "b.log"), prefix="sym")[0] == {}


def test_the_same_file_twice_changes_nothing(write):
    path = write(log("nginx", TEN))
    _, place, _ = read(path)

    counts, again, one = read(path, [place])

    assert (counts, again, one.tally.lines) == ({}, None, 0)


def test_a_log_that_grew_is_read_on(write):
    path = write(log("nginx", TEN))
    _, place, _ = read(path)
    with open(path, "a", encoding="utf-8") as stream:
        stream.write(log("nginx", [Asked(EXE, second=20)]))

    counts, _, one = read(path, [place])

    assert (counts, one.tally.lines) == ({"app.exe": 1}, 1)


def test_a_log_that_was_rotated_and_packed_is_read_on(write, tmp_path):
    path = write(log("nginx", TEN))
    _, place, _ = read(path)
    packed = tmp_path / "access.log.2.gz"
    packed.write_bytes(gzip.compress(path.read_bytes() + log("nginx", [Asked(EXE, second=20)]).encode()))

    counts, _, one = read(packed, [place])

    assert counts == {"app.exe": 1}
    assert one.who == "log:access.log"


def test_a_log_that_was_copied_and_truncated_is_another_one(write):
    path = write(log("nginx", TEN))
    _, place, _ = read(path)
    os.truncate(path, 0)
    assert read(path, [place])[0] == {}
    path.write_text(log("nginx", [Asked(EXE, second=30), *[Asked("/x", second=31)] * 20]))

    counts, new, _ = read(path, [place])

    assert counts == {"app.exe": 1}
    assert new.first != place.first


def test_two_logs_that_begin_alike_are_told_apart(write):
    first = write(log("nginx", [TEN[0], TEN[2]]))
    second = write(log("nginx", [TEN[0], TEN[5], TEN[5]]), "other.log")
    _, place, _ = read(first)

    counts, other, _ = read(second, [place])

    assert counts == {"crash.pdb": 1, None: 2}
    assert other.first == place.first
    assert read(first, [other, place])[0] == read(second, [place, other])[0] == {}


def test_a_line_being_written_is_left_for_the_next_time(write):
    whole = log("nginx", TEN[:3])
    path = write(whole[:-80])
    counts, place, one = read(path)
    assert (counts, one.tally.bad) == ({"crash.pdb": 1}, 0)
    path.write_text(whole)

    counts, _, one = read(path, [place])

    assert (counts, one.tally.bad) == ({"app.exe": 1}, 0)


def test_a_last_line_without_an_end_counts_and_its_rest_does_not(write):
    whole = log("nginx", TEN[:3]).rstrip("\n")
    path = write(whole)
    counts, place, _ = read(path)
    assert counts == {"crash.pdb": 1, "app.exe": 1}
    assert read(path, [place])[0] == {}
    path.write_text(whole + " and more\n" + log("nginx", [TEN[5]]))

    counts, _, one = read(path, [place])

    assert (counts, one.tally.bad, one.tally.lines) == ({None: 1}, 0, 1)


def test_a_log_of_one_line_without_an_end_is_known_again(write):
    path = write(log("nginx", TEN[:1]).rstrip("\n"))
    counts, place, _ = read(path)
    assert counts == {"crash.pdb": 1}
    path.write_text(log("nginx", TEN[:3]))

    assert LogFile(path).first() == place.first
    assert read(path, [place])[0] == {"app.exe": 1}


def test_bad_lines_are_counted_and_nothing_else(write):
    lines = log("nginx", TEN).splitlines()
    text = "\n".join([lines[0], "garbage", "\x00\xff", *lines[1:3], '- - - [x] "', ""])

    counts, _, one = read(write(text))

    assert counts == {"crash.pdb": 1, "app.exe": 1}
    assert (one.tally.lines, one.tally.bad) == (6, 3)


def test_a_line_without_end_costs_no_memory(write):
    path = write(combined(TEN[0]) + "\n" + "x" * (400 * LINE_LIMIT_BYTES) + "\n" + combined(TEN[2]) + "\n")
    tracemalloc.start()

    counts, place, one = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert counts == {"crash.pdb": 1, "app.exe": 1}
    assert one.tally.bad == 1
    assert peak < 60 * LINE_LIMIT_BYTES
    assert read(path, [place])[0] == {}


def test_many_wants_come_in_batches_that_can_be_gone_on_from(write):
    asked = [Asked(f"/a{number}.dll/5AB380779000/a{number}.dll") for number in range(25)]
    path = write(log("nginx", asked))

    batches = list(LogFile(path).batches(limit=10))

    assert [len(one.wishes) for one in batches] == [10, 10, 5]
    assert [wish.ask.name for one in LogFile(path).batches([batches[0].place]) for wish in one.wishes] == [
        f"a{number}.dll" for number in range(10, 25)
    ]


def test_a_packed_log_that_breaks_off_gives_what_it_has(write, tmp_path):
    asked = [Asked(f"/a{number:04}.dll/5AB38077{number:04x}/a{number:04}.dll") for number in range(3000)]
    packed = tmp_path / "access.log.gz"
    packed.write_bytes(gzip.compress(log("nginx", asked).encode())[:-2000])

    counts, place, one = read(packed)

    assert 0 < len(counts) < 3000
    assert one.broken
    assert read(packed, [place])[0] == {}


@pytest.mark.parametrize("text", ["MDMP", "a,b,c\n1,2,3\n", "{}\n{}\n"])
def test_what_is_no_log_is_refused(write, text):
    path = write(text)

    with pytest.raises(NotIdentified) as caught:
        LogFile(path).first()

    assert caught.value.reason == "unknown-format"


def test_an_empty_log_and_one_with_a_title_alone_have_nothing_yet(write):
    for text in ("", SERVERS["cloudfront"][1] + "\n", SERVERS["gcs"][1] + "\n"):
        assert LogFile(write(text)).first() is None
        assert read(write(text))[:2] == ({}, None)


def test_a_title_that_comes_again_is_no_bad_line(write):
    _, _, one = read(write(log("iis", TEN[:2]) + log("iis", TEN[2:])))

    assert (one.tally.lines, one.tally.bad, one.tally.misses) == (10, 0, 6)


@pytest.mark.parametrize(
    "target",
    [
        "/index2.txt",
        "/pingme.txt",
        "/a.exe/5AB380779000/file.ptr",
        "/a.exe/0/a.exe",
        "/a.exe/000000000/a.exe",
        "/robots.txt",
        "/%2e%2e/5AB380779000/%2e%2e",
        "/a%2fb.exe/5AB380779000/a%2fb.exe",
        "/%ff.exe/5AB380779000/%ff.exe",
        "/",
        "",
        "*",
    ],
)
def test_what_nobody_wishes_for(target):
    assert wished(target) is None


@pytest.mark.parametrize(
    "target", [EXE, f"{EXE}?code_file=x", f"http://symbols.example{EXE}", f"//{EXE}", f"/a/b/c/d/e/f{EXE}", f"{EXE}#x"]
)
def test_a_target_as_clients_and_proxies_spell_it(target):
    key, ask = wished(target)

    assert key.endswith(":app.exe")
    assert ask.name == "app.exe"


def test_a_folder_stands_for_its_files_by_name(write, tmp_path):
    for name in ("logs/b.log", "logs/a.log", "logs/deeper/c.log"):
        write("", name)

    found = list(log_files([tmp_path / "logs", tmp_path / "x.log"]))

    assert [(path.relative_to(tmp_path).as_posix(), named) for path, named in found] == [
        ("logs/a.log", False),
        ("logs/b.log", False),
        ("logs/deeper/c.log", False),
        ("x.log", True),
    ]


def test_reading_a_log_needs_no_more_memory_than_a_batch(write):
    line = combined(Asked(PDB)) + "\n"
    path = write(line * 40_000)
    assert path.stat().st_size > 4 << 20
    tracemalloc.start()

    counts, _, _ = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert counts == {"crash.pdb": 40_000}
    assert peak < 2 << 20
    assert access_logs.wished.cache_info().maxsize == 4096


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    yield one
    one.close()


def counts_of(state):
    return {(want.ask.name or "").lower(): want.count for want in state.wants.list()}


def test_ten_lines_become_three_wants_and_the_same_file_again_changes_nothing(write, state):
    path = write(log("nginx", TEN))

    learn(state, LogFile(path))
    first = state.wants.list()
    learn(state, LogFile(path))

    assert counts_of(state) == {"crash.pdb": 3, "app.exe": 2, "": 1}
    assert state.wants.list() == first
    assert all(one.who == ("log:access.log",) for one in first)
    assert [(one.first, one.last) for one in first if one.ask.name == "crash.pdb"] == [
        (BEGUN, BEGUN + timedelta(seconds=7))
    ]


def test_a_rotated_log_and_its_successor_are_read_on(write, state, tmp_path):
    path = write(log("nginx", TEN))
    learn(state, LogFile(path))
    with open(path, "a", encoding="utf-8") as stream:
        stream.write(log("nginx", [Asked(EXE, second=20)]))
    path.rename(tmp_path / "access.log.1")
    write(log("nginx", [Asked(ELF, second=21)]))

    for one in (path, tmp_path / "access.log.1", path):
        learn(state, LogFile(one))

    assert counts_of(state) == {"crash.pdb": 3, "app.exe": 3, "": 2}
    assert len(state.marks.all("access-log:")) == 2


def test_two_logs_that_begin_alike_are_both_remembered(write, state):
    paths = [write(log("nginx", [TEN[0], one]), f"{at}.log") for at, one in enumerate((TEN[2], TEN[5]))]

    for one in paths * 3:
        learn(state, LogFile(one))

    assert counts_of(state) == {"crash.pdb": 2, "app.exe": 1, "": 1}


def test_what_breaks_off_between_batches_is_gone_on_from(write, state, monkeypatch):
    asked = [Asked(f"/a{number}.dll/5AB380779000/a{number}.dll") for number in range(25)]
    path = write(log("nginx", asked))
    whole = LogFile.batches
    monkeypatch.setattr(LogFile, "batches", lambda self, known=(): itertools.islice(whole(self, known, limit=10), 2))
    learn(state, LogFile(path))
    assert len(state.wants.list()) == 20
    monkeypatch.setattr(LogFile, "batches", lambda self, known=(): whole(self, known, limit=10))

    learn(state, LogFile(path))
    learn(state, LogFile(path))

    assert sorted(counts_of(state).values()) == [1] * 25


def test_what_was_published_since_is_nobodys_wish(write, state):
    asked = []

    def here(ask):
        asked.append(ask)
        return ask.name == "app.exe"

    learn(state, LogFile(write(log("nginx", [*TEN, Asked(EXE[:-1] + "_")]))), here=here)

    assert counts_of(state) == {"crash.pdb": 3, "": 1}
    assert [one.name for one in asked] == ["crash.pdb", "app.exe", None]
    assert not any(one.packed for one in asked)


def test_a_dry_run_files_nothing(write, state):
    one = LogFile(write(log("nginx", TEN)))

    learn(state, one, dry_run=True)

    assert one.tally.misses == 6
    assert (state.wants.list(), state.marks.all()) == ([], {})


def test_two_who_read_the_same_log_at_once_count_it_once(write, state, monkeypatch):
    path = write(log("nginx", TEN))
    whole = LogFile.batches

    def beaten(self, known=()):
        found = list(whole(self, known))
        monkeypatch.setattr(LogFile, "batches", whole)
        learn(state, LogFile(path))
        return iter(found)

    monkeypatch.setattr(LogFile, "batches", beaten)
    with pytest.raises(StoreLocked):
        learn(state, LogFile(path))

    assert counts_of(state) == {"crash.pdb": 3, "app.exe": 2, "": 1}


def test_an_empty_log_leaves_no_trace(write, state):
    learn(state, LogFile(write("")))

    assert state.marks.all() == {}


def test_logs_that_were_read_longest_ago_are_forgotten(write, state):
    for number in range(4):
        learn(state, LogFile(write(log("nginx", [Asked(EXE, second=number)]), f"{number}.log")))
    (oldest, *_) = state.marks.all("access-log:")
    state.marks.put(oldest, '{"day":"2020-01-01","places":[]}')

    assert forget_old(state, limit=3) == 1
    assert forget_old(state, limit=3) == 0

    assert oldest not in state.marks.all("access-log:")
