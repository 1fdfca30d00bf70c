"""The puller, over servers of this machine: what becomes of wants, of the queue, and of what came in part."""

import os
import shutil
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from symsrv.ingest import Source, publish
from symsrv.mirror import puller as module
from symsrv.mirror.puller import Puller
from symsrv.model.wants import WantState, Wish, want_key
from tests.ingest.files import pe, written
from tests.made.cab_builder import cab_of
from tests.mirror.pulling import PATIENCE, Pulling, asked, key_of


@pytest.fixture
def pulling(tmp_path):
    one = Pulling.at(tmp_path)
    yield one
    one.close()


@contextmanager
def running(puller: Puller):
    """A puller that goes on until the end."""
    stop, failures = threading.Event(), []

    def work() -> None:
        try:
            puller.run(stop)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield puller
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()
    assert failures == []


def until(condition) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


def outcomes(pulling) -> list[tuple[str, str, str, str]]:
    found = pulling.state.attempts.list(limit=1000)
    return [(one.upstream, one.stage, one.outcome, one.reason) for one in reversed(found)]


def test_what_an_upstream_has_is_published_and_answers_the_want(pulling):
    site = pulling.site(tag="mirrored")
    key, data = pulling.pdb(1)
    site.files[key] = data
    [number] = pulling.wish(key)

    done = pulling.once()["app1.pdb"]

    assert (done.status, done.key, done.upstream, done.size) == ("stored", key, "there", len(data))
    assert (pulling.folder / "store" / key).read_bytes() == data
    assert pulling.want(number).state is WantState.ANSWERED
    transaction = next(pulling.store.documents())
    assert (transaction.product, transaction.tag) == ("there", "mirrored")
    assert transaction.comment == transaction.entries[0].source == f"{site.url}/{key}"
    assert site.requests == [key]
    assert pulling.left() == []
    [attempt] = pulling.state.attempts.list()
    assert (attempt.outcome, attempt.bytes, attempt.want) == ("ok", len(data), number)
    assert attempt.address == f"{site.url}/{key}"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_a_file_that_came_is_a_file_like_any_other(pulling):
    site = pulling.site()
    key, data = pulling.pdb(1)
    site.files[key] = data
    pulling.wish(key)
    ours = written(pulling.folder / "own", b"")

    pulling.once()

    stat = (pulling.folder / "store" / key).stat()
    assert (stat.st_mode, stat.st_nlink) == (ours.stat().st_mode, 1)


def test_what_nobody_has_rests_and_is_not_asked_for_again(pulling):
    one, other = pulling.site("one", miss_ttl="1h"), pulling.site("other", miss_ttl="2h")
    key, _ = pulling.pdb(1)
    [number] = pulling.wish(key)

    done = pulling.once()["app1.pdb"]
    again = pulling.once()

    assert (done.status, done.reason) == ("missing", "absent")
    assert again == {}
    assert one.requests == other.requests == [key]
    want = pulling.want(number)
    assert (want.state, want.reason, want.rounds) == (WantState.RESTING, "absent", 1)
    assert timedelta(minutes=59) < want.due - datetime.now(UTC) < timedelta(minutes=61)
    assert {rest.upstream for rest in pulling.state.rests.of(want_key(want.ask))} == {"one", "other"}
    assert sorted(outcomes(pulling)) == [
        ("one", "downloading", "absent", "absent"),
        ("other", "downloading", "absent", "absent"),
    ]
    assert pulling.left() == []


def test_after_its_last_round_a_want_is_given_up(pulling):
    pulling.mirror = {"rounds": 1, "skip_for": "never"}
    pulling.site()
    key, _ = pulling.pdb(1)
    [number] = pulling.wish(key)

    pulling.once()

    assert pulling.want(number).state is WantState.GIVEN_UP
    assert [rest.skip for rest in pulling.state.rests.list()] == [True]


def test_publishing_ends_the_rest_of_a_file(pulling):
    site = pulling.site()
    key, data = pulling.pdb(1)
    [number] = pulling.wish(key)
    pulling.once()
    publish(pulling.store, [Source(written(pulling.folder / "out" / "app1.pdb", data), "app1.pdb")])

    pulling.once()

    assert pulling.want(number).state is WantState.ANSWERED
    assert pulling.state.rests.list() == []
    assert site.requests == [key]


def test_what_is_here_already_is_not_fetched(pulling):
    site = pulling.site()
    key, data = pulling.pdb(1)
    publish(pulling.store, [Source(written(pulling.folder / "out" / "app1.pdb", data), "app1.pdb")])
    pulling.once()
    [number] = pulling.wish(key)

    done = pulling.once()["app1.pdb"]

    assert (done.status, site.requests) == ("present", [])
    assert pulling.want(number).state is WantState.ANSWERED


def test_the_packed_twin_is_unpacked(pulling):
    site = pulling.site(packed=True)
    key, data = pulling.pdb(1)
    site.files[f"{key[:-1]}_"] = cab_of({"app1.pdb": data})
    pulling.wish(key)

    done = pulling.once()["app1.pdb"]

    assert done.status == "stored"
    assert (pulling.folder / "store" / key).read_bytes() == data
    assert site.requests == [key, f"{key[:-1]}_"]
    assert pulling.left() == []


def test_another_file_under_the_right_path_is_not_kept(pulling):
    bad, good = pulling.site("bad", order=1), pulling.site("good", order=2)
    (key, data), (_, other) = pulling.pdb(1), pulling.pdb(2)
    bad.files[key], good.files[key] = other, data
    [number] = pulling.wish(key)

    done = pulling.once()["app1.pdb"]

    assert (done.status, done.upstream) == ("stored", "good")
    assert list(pulling.store.index.held()) == [key]
    assert pulling.want(number).state is WantState.ANSWERED
    assert outcomes(pulling)[0] == ("bad", "checking", "failed", "wrong-file")
    assert pulling.left() == []


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><title>Sign in</title>", b"", b"MZ\0\0"])
def test_what_is_no_symbol_file_is_not_kept(pulling, page):
    site = pulling.site()
    key, _ = pulling.pdb(1)
    site.files[key] = page
    [number] = pulling.wish(key)

    done = pulling.once()["app1.pdb"]

    assert done.status == "missing"
    assert done.reason == pulling.want(number).reason != "absent"
    assert pulling.here([key]) == [False]
    assert pulling.left() == []


def test_the_next_upstream_is_asked_only_for_what_the_first_has_not(pulling):
    first, second = pulling.site("first", order=1), pulling.site("second", order=2)
    (key, data), (other, other_data) = pulling.pdb(1), pulling.pdb(2)
    first.files[key], second.files[other] = data, other_data
    pulling.wish(key, other)

    done = pulling.once()

    assert {name: one.upstream for name, one in done.items()} == {"app1.pdb": "first", "app2.pdb": "second"}
    assert second.requests == [other]


def test_in_a_race_the_first_good_one_wins_and_the_losers_are_stopped(pulling):
    slow, quick = pulling.site("slow"), pulling.site("quick")
    slow.piece_seconds = 0.05
    key, data = pulling.pdb(1, size=8 << 20)
    slow.files[key] = quick.files[key] = data
    pulling.wish(key)

    done = pulling.once()["app1.pdb"]

    assert done.upstream == "quick"
    assert slow.requests == [key]
    assert slow.sent[key] < len(data)
    assert slow.whole[key] == 0


def test_race_asks_all_at_once_whatever_their_order(pulling):
    pulling.mirror = {"race": True}
    late = threading.Event()
    first, second = pulling.site("first", order=1), pulling.site("second", order=2)
    first.before = lambda _path: None if late.wait(PATIENCE) else 500
    key, data = pulling.pdb(1)
    second.files[key] = data
    pulling.wish(key)
    second.before = lambda _path: None

    try:
        with running(pulling.puller()):
            until(lambda: pulling.here([key]) == [True])
            late.set()
    finally:
        late.set()

    assert pulling.done[0].upstream == "second"


def test_a_stuck_upstream_does_not_hold_up_what_others_have(pulling):
    pulling.mirror = {"downloads": 4}
    go = threading.Event()
    stuck, good = pulling.site("stuck", concurrency=64), pulling.site("good")
    stuck.before = lambda _path: 404 if go.wait(PATIENCE) else 500
    keys = []
    for number in range(1, 21):
        key, data = pulling.pdb(number)
        good.files[key] = data
        keys.append(key)
    pulling.wish(*keys)

    try:
        with running(pulling.puller()):
            until(lambda: all(pulling.here(keys)))
            assert stuck.at_once <= 3
            go.set()
    finally:
        go.set()


def test_a_host_in_trouble_is_left_alone_and_the_want_waits(pulling):
    site = pulling.site(tries=1)
    site.before = lambda _path: 500
    numbers = pulling.wish(*(pulling.pdb(number)[0] for number in range(1, 31)))

    done = pulling.once()

    assert len(site.requests) < 30
    assert {one.reason for one in done.values()} == {"server-error", "breaker"}
    want = pulling.want(numbers[0])
    assert (want.state, want.rounds) == (WantState.RESTING, 0)
    assert pulling.state.rests.list() == []
    assert [one.state for one in pulling.state.breakers.list()] == ["open"]


def test_the_days_budget_leaves_the_rest_in_the_queue(pulling):
    site = pulling.site(daily_limit="120kB", concurrency=1)
    keys = []
    for number in range(1, 9):
        key, site.files[key] = pulling.pdb(number, size=20_000)
        keys.append(key)
    numbers = [pulling.wish(key, count=10 - place)[0] for place, key in enumerate(keys)]

    done = pulling.once()

    statuses = [done[f"app{number}.pdb"].status for number in range(1, 9)]
    assert statuses == ["stored"] * 2 + ["missing"] * 6  # the most wanted first
    assert {pulling.want(number).reason for number in numbers[2:]} == {"budget"}
    assert pulling.want(numbers[-1]).rounds == 0
    assert pulling.want(numbers[-1]).due.hour == 0
    assert pulling.state.spending.today()["there"] >= 120_000


def test_nothing_is_fetched_while_the_disk_has_too_little_room(pulling):
    pulling.mirror = {"keep_free": shutil.disk_usage(pulling.folder).total * 2}
    site = pulling.site()
    key, site.files[key] = pulling.pdb(1)
    pulling.wish(key)

    assert pulling.once()["app1.pdb"].reason == "low-disk"
    assert site.requests == []


@pytest.mark.parametrize("where", ["mirror", "upstream"])
def test_nothing_is_fetched_outside_of_the_window(pulling, where):
    now = datetime.now().astimezone()
    shut = f"{now + timedelta(hours=2):%H:%M}-{now + timedelta(hours=3):%H:%M}"
    pulling.mirror = {"window": shut} if where == "mirror" else {}
    site = pulling.site(window=shut if where == "upstream" else None)
    key, site.files[key] = pulling.pdb(1)
    [number] = pulling.wish(key)

    assert pulling.once()["app1.pdb"].reason == "window"
    assert site.requests == []
    assert timedelta(hours=1) < pulling.want(number).due - datetime.now(UTC) < timedelta(hours=3)


def test_many_files_are_one_transaction(pulling):
    site = pulling.site()
    for number in range(1, 41):
        key, site.files[key] = pulling.pdb(number)
        pulling.wish(key)

    done = pulling.once()

    assert [one.status for one in done.values()] == ["stored"] * 40
    assert len(list(pulling.store.documents())) < 8


def test_a_program_that_came_has_its_pdb_fetched(pulling):
    site = pulling.site()
    program = pe(7)
    key = key_of(program, "made.exe", pulling.folder / "made")
    pdb_key, pdb_data = pulling.pdb(7, name="made.pdb")
    site.files |= {key: program, pdb_key: pdb_data}
    pulling.wish(key, path=r"C:\app\made.exe")

    done = pulling.once()

    assert {name: one.status for name, one in done.items()} == {"made.exe": "stored", "made.pdb": "stored"}
    want = pulling.state.wants.at(asked(pdb_key))
    assert (want.who, want.path) == (("program:made.exe",), r"C:\app\made.exe")


def test_without_with_program_it_has_not(pulling):
    pulling.mirror = {"with_program": False}
    site = pulling.site()
    program = pe(7)
    key = key_of(program, "made.exe", pulling.folder / "made")
    site.files[key] = program
    pulling.wish(key)

    assert list(pulling.once()) == ["made.exe"]
    assert len(site.requests) == 1


def test_a_running_puller_takes_what_is_urgent_at_once(pulling):
    pulling.mirror = {"every": "1h"}
    site = pulling.site()
    (lazy, lazy_data), (key, data) = pulling.pdb(1), pulling.pdb(2)
    site.files |= {key: data, lazy: lazy_data}

    with running(pulling.puller()):
        until(lambda: pulling.state.marks.all("settled:"))
        time.sleep(2 * module._POLL_SECONDS)  # it has looked, and looks again in an hour
        pulling.wish(lazy)
        pulling.wish(key, urgent=True)
        until(lambda: pulling.here([key]) == [True])


def test_a_running_puller_that_is_woken_looks_at_once(pulling):
    pulling.mirror = {"every": "1h"}
    site = pulling.site()
    key, site.files[key] = pulling.pdb(1)

    with running(pulling.puller()) as puller:
        until(lambda: pulling.state.marks.all("settled:"))
        time.sleep(2 * module._POLL_SECONDS)
        pulling.wish(key)
        puller.wake()
        until(lambda: pulling.here([key]) == [True])


def test_a_stop_keeps_what_came_and_the_next_run_goes_on_from_there(pulling, monkeypatch):
    monkeypatch.setattr(module, "STOP_SECONDS", 0.1)
    site = pulling.site()
    site.piece_seconds = 0.005
    key, data = pulling.pdb(1, size=16 << 20)
    site.files[key] = data
    [number] = pulling.wish(key)

    with running(pulling.puller()):
        until(lambda: site.sent[key] > 2 << 20)

    assert pulling.want(number).state is WantState.OPEN
    assert pulling.here([key]) == [False]
    assert sum(path.stat().st_size for path in pulling.left()) > 1 << 20
    site.piece_seconds = 0
    before = site.sent[key]
    assert pulling.once()["app1.pdb"].status == "stored"
    assert (pulling.folder / "store" / key).read_bytes() == data
    assert site.sent[key] - before < len(data)
    assert site.whole[key] == 1
    assert pulling.left() == []


def test_a_store_that_refuses_keeps_the_file_for_another_time(pulling):
    site = pulling.site()
    key, site.files[key] = pulling.pdb(1)
    [number] = pulling.wish(key)
    pulling.store._committer._lock_seconds = 0.1
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with pulling.store._backend.lock(timeout_seconds=1):
            held.set()
            go.wait(PATIENCE)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(PATIENCE)
    done = pulling.once()["app1.pdb"]
    go.set()
    holder.join()

    assert (done.status, done.reason) == ("failed", "locked")
    assert pulling.want(number).state is WantState.OPEN
    assert ("there", "storing", "failed", "locked") in outcomes(pulling)
    assert pulling.once()["app1.pdb"].status == "stored"
    assert site.requests == [key]  # the file was there already, whole
    assert pulling.left() == []


def test_a_defect_while_noting_what_came_holds_up_nothing(pulling, monkeypatch, caplog):
    site = pulling.site()
    key, site.files[key] = pulling.pdb(1)
    pulling.wish(key)

    def fail(*_arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(Puller, "_finish", fail)

    pulling.once()

    assert pulling.here([key]) == [True]
    assert "ZeroDivisionError" in caplog.text


def test_two_pullers_of_one_state_fetch_nothing_twice(pulling):
    site = pulling.site(concurrency=8)
    keys = []
    for number in range(1, 61):
        key, site.files[key] = pulling.pdb(number)
        keys.append(key)
    pulling.wish(*keys)

    with running(pulling.puller()), running(pulling.puller()):
        until(lambda: all(pulling.here(keys)) and pulling.state.wants.counts()[WantState.ANSWERED] == 60)

    assert sorted(site.requests) == sorted(keys)
    assert pulling.left() == []


def test_what_somebody_else_publishes_meanwhile_is_not_waited_for(pulling):
    site = pulling.site()
    site.piece_seconds = 0.02
    key, data = pulling.pdb(1, size=64 << 20)
    site.files[key] = data
    [number] = pulling.wish(key)

    with running(pulling.puller()):
        until(lambda: site.sent[key] > 0)
        publish(pulling.store, [Source(written(pulling.folder / "out" / "app1.pdb", data), "app1.pdb")])
        until(lambda: pulling.done)

    assert (pulling.done[0].status, pulling.want(number).state) == ("present", WantState.ANSWERED)
    assert site.whole[key] == 0
    assert pulling.left() == []


def test_only_some_wants_can_be_worked_on(pulling):
    site = pulling.site()
    (key, data), (other, other_data) = pulling.pdb(1), pulling.pdb(2)
    site.files |= {key: data, other: other_data}
    [number, _] = pulling.wish(key, other)

    assert list(pulling.once(only=[number])) == ["app1.pdb"]
    assert site.requests == [key]


def test_without_an_upstream_nothing_is_claimed(pulling):
    [number] = pulling.wish(pulling.pdb(1)[0])

    assert pulling.once() == {}
    assert pulling.want(number).state is WantState.OPEN


def test_who_waits_for_several_files_is_told_of_when_the_last_one_is_there(pulling):
    site = pulling.site()
    keys = []
    for number in (1, 2):
        key, site.files[key] = pulling.pdb(number)
        keys.append(key)
    report = pulling.state.reports.file("a.dmp", [Wish(asked(key)) for key in keys], origin="dump:1", data={})
    late = site.files.pop(keys[1])

    pulling.once()
    assert pulling.state.events.after(0, kind="report") == []
    site.files[keys[1]] = late
    pulling.state.wants.wake()
    pulling.once()

    assert [one.data["report"] for one in pulling.state.events.after(0, kind="report")] == [report]


def test_a_pointer_is_followed_below_the_upstream(pulling):
    site = pulling.site(pointers=True)
    key, data = pulling.pdb(1)
    site.files[f"{key.rpartition('/')[0]}/file.ptr"] = b"PATH:..\\..\\kept\\app1.pdb"
    site.files["kept/app1.pdb"] = data
    pulling.wish(key)

    done = pulling.once()["app1.pdb"]

    assert (done.status, done.address) == ("stored", f"{site.url}/kept/app1.pdb")
    assert pulling.left() == []
