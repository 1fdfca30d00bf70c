import json
import logging
import threading

import pytest

from symsrv.mirror.settings import MirrorOptions, TellOptions
from symsrv.mirror.tellers import Tellers, Turn, open_tellers
from symsrv.mirror.telling import Receiver


@pytest.fixture
def start(state):
    started = []

    def run(*options):
        receivers = [Receiver(one, state, lambda event: {"id": event.id}, origin="here") for one in options]
        for one in receivers:
            one.begin()
        tellers = Tellers(receivers, state)
        started.append(tellers)
        tellers.start()
        return tellers

    yield run
    for one in started:
        one.close()


def options(name, url, **more):
    return TellOptions(name=name, url=f"{url}/hook", **{"every": 0.02, "pause": 0.02, "timeout": 0.5} | more)


def test_what_happens_is_told_without_being_asked_for(state, receiver, start):
    url, one = receiver()
    start(options("ci", url))

    state.events.add("arrived", {"home": "a"})

    assert one.wait(1)


def test_one_that_never_answers_holds_up_no_other(state, receiver, start):
    silent, _ = receiver(lambda asked: None)
    quick, one = receiver()
    start(options("silent", silent, timeout=30), options("quick", quick))

    for number in range(3):
        state.events.add("arrived", {"home": "a"})
        assert one.wait(number + 1)


def test_one_that_fails_is_told_again_until_it_hears(state, receiver, start, caplog):
    caplog.set_level(logging.WARNING)
    answers = iter([(500, {}, b""), (503, {"Retry-After": "0"}, b"")])
    url, one = receiver(lambda asked: next(answers, (200, {}, b"")))
    start(options("ci", url))

    state.events.add("arrived", {"home": "a"})

    assert one.wait(3)
    assert one.asked[0].body == one.asked[2].body
    assert caplog.text.count("a receiver was not told") == 2


def test_a_missing_secret_is_a_reason_like_others(state, receiver, start, monkeypatch):
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    url, one = receiver()
    start(options("ci", url, secret={"env": "HOOK_SECRET"}))
    state.events.add("arrived", {"home": "a"})
    monkeypatch.setenv("HOOK_SECRET", "here it is")

    assert one.wait(1)
    assert "webhook-signature" in one.asked[0].headers


def test_one_that_is_switched_off_is_not_told(state, receiver):
    url, one = receiver()
    off = Receiver(options("off", url, enabled=False), state, lambda event: {}, origin="here")

    Tellers([off], state).close()

    assert state.marks.all("tell:") == {}
    assert one.asked == []


def test_closing_does_not_wait_for_who_never_answers(state, receiver, start):
    url, one = receiver(lambda asked: None)
    tellers = start(options("silent", url, timeout=30))
    state.events.add("arrived", {"home": "a"})
    assert one.wait(1)

    closing = threading.Thread(target=tellers.close)
    closing.start()
    closing.join(10)

    assert not closing.is_alive()


def test_who_answers_after_closing_touches_the_state_no_more(state, receiver, start):
    answer = threading.Event()
    url, one = receiver(lambda asked: (200, {}, b"{}") if answer.wait(30) else None)
    tellers = start(options("slow", url, timeout=30))
    state.events.add("arrived", {"home": "a"})
    assert one.wait(1)
    tellers.close()
    before = state.marks.all()

    answer.set()
    [thread] = [thread for thread in threading.enumerate() if thread.name == "tell-slow"]
    thread.join(10)

    assert not thread.is_alive()
    assert state.marks.all() == before
    assert Turn(state, "slow", seconds=60).take()
    assert Receiver(options("slow", url), state, lambda event: {"id": event.id}, origin="here").pending() is not None


def test_what_there_is_can_be_told_at_once(state, store, receiver):
    url, one = receiver()
    silent, other = receiver(lambda asked: None)
    receivers = (options("ci", url, every=600), options("silent", silent, every=600, timeout=30))
    tellers = open_tellers(MirrorOptions(tell=receivers), store, state)
    tellers.drain(10)
    state.events.add("report", {"report": 1})

    tellers.drain(1.0)

    assert len(one.asked) == 1
    assert len(other.asked) == 1
    tellers.close()


def test_one_process_at_a_time_has_the_turn(state):
    now = [1000.0]
    one, other = (Turn(state, "ci", seconds=60, now=lambda: now[0]) for _ in range(2))

    assert one.take()
    assert not other.take()
    assert one.take()
    now[0] += 61
    assert other.take()
    assert not one.take()
    other.leave()
    assert one.take()


def test_two_processes_tell_each_thing_once(state, receiver, start):
    url, one = receiver()
    start(options("ci", url))
    start(options("ci", url))
    for number in range(5):
        state.events.add("report", {"report": number})

    assert one.wait(5)
    assert not one.wait(6, seconds=0.3)
    assert len({json.loads(asked.body)["key"] for asked in one.asked}) == 5
