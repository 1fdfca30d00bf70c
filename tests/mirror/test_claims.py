"""Claims: a worker takes what is most wanted, keeps it, and gives it back; the dead do so, too."""

import signal
import subprocess
import sys

import pytest

from symsrv.mirror import claims as module
from symsrv.mirror.claims import Claims
from symsrv.mirror.parts import Parts
from tests.mirror.pulling import Pulling


@pytest.fixture
def pulling(tmp_path):
    one = Pulling.at(tmp_path)
    yield one
    one.close()


@pytest.fixture
def make(pulling):
    opened = []

    def made(**more):
        parts = Parts(pulling.store.arriving, state=pulling.state.url)
        opened.append(parts)
        return Claims(pulling.state, parts, **more)

    yield made
    for one in opened:
        one.close()


def wishes(pulling, count):
    return [pulling.wish(pulling.pdb(number)[0], count=100 - number)[0] for number in range(1, count + 1)]


def take(claims, room=10, *, once=False, every=1000.0):
    return [want.id for want in claims.take(room, once=once, every=every)]


def states(pulling, numbers):
    return [pulling.want(number).state.value for number in numbers]


def test_the_most_wanted_come_first_and_are_held(pulling, make):
    numbers, claims = wishes(pulling, 3), make()

    assert take(claims, 2) == numbers[:2]

    assert claims.held == 2
    assert claims.of(numbers[0]).id == numbers[0]
    assert claims.of(numbers[2]) is None
    assert states(pulling, numbers) == ["claimed", "claimed", "open"]


def test_two_workers_never_have_the_same(pulling, make):
    numbers = wishes(pulling, 6)
    one, other = make(), make()

    taken = take(one, 2) + take(other, 2) + take(one, 2) + take(other, 2)

    assert sorted(taken) == numbers


def test_an_empty_queue_is_left_alone_for_a_while(pulling, make):
    claims = make()
    assert take(claims) == []
    numbers = wishes(pulling, 1)

    assert take(claims) == []
    claims.look()

    assert take(claims) == numbers


def test_a_client_that_waits_is_not_left_alone(pulling, make):
    claims = make()
    assert take(claims) == []
    wishes(pulling, 1)
    [urgent] = pulling.wish(pulling.pdb(9)[0], urgent=True)

    assert take(claims)[0] == urgent


def test_only_some_are_taken_and_what_comes_of_them(pulling, make):
    numbers = wishes(pulling, 3)
    claims = make(only=[numbers[2]])

    assert take(claims, once=True) == [numbers[2]]
    assert take(claims, once=True) == []
    claims.more([numbers[1]])
    assert take(claims, once=True) == [numbers[1]]


def test_once_takes_none_a_second_time_unless_it_came_up_anew(pulling, make):
    [number] = wishes(pulling, 1)
    claims = make()
    [want] = claims.take(5, once=True, every=0)
    claims.release(want)

    assert take(claims, once=True, every=0) == []
    assert states(pulling, [number]) == ["open"]
    claims.more([number])
    assert take(claims, once=True) == [number]


def test_what_is_given_back_is_open_as_it_was(pulling, make):
    numbers, claims = wishes(pulling, 3), make()
    first, *_ = claims.take(10, once=False, every=0)

    claims.release(first)
    assert states(pulling, numbers) == ["open", "claimed", "claimed"]
    claims.release_all()

    assert states(pulling, numbers) == ["open"] * 3
    assert claims.held == 0


def test_claims_are_renewed_before_they_end(pulling, make, monkeypatch):
    claims = make()
    wishes(pulling, 1)
    take(claims)
    assert not claims.renew()
    monkeypatch.setattr(module, "_RENEW_SECONDS", 0)
    renewed = []

    def renew(_worker, numbers, *, lease_seconds):
        renewed.append((numbers, lease_seconds))

    monkeypatch.setattr(pulling.state.wants, "renew", renew)

    assert claims.renew()

    assert renewed == [([1], module.LEASE_SECONDS)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells which run of it this is")
def test_what_a_killed_worker_had_is_open_at_once(pulling, make):
    numbers = wishes(pulling, 3)
    script = (
        "import os, signal\nfrom pathlib import Path\nfrom symsrv.ledger.state import open_state\n"
        "from symsrv.mirror.claims import Claims\nfrom symsrv.mirror.parts import Parts\n"
        f"state = open_state({pulling.state.url!r})\n"
        f"claims = Claims(state, Parts(Path({str(pulling.store.arriving)!r}), state=state.url))\n"
        "taken = claims.take(2, once=False, every=0)\nassert len(taken) == 2\n"
        "from symsrv.mirror.base import Try\nclaims._parts.of(taken[1], 'there', Try('a', 'https://there/a'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    living, claims = make(), make()
    take(living, 1)
    assert states(pulling, numbers) == ["claimed"] * 3

    claims.adopt()

    assert states(pulling, numbers) == ["open", "claimed", "claimed"]
    assert pulling.want(numbers[1]).worker == claims._parts.worker  # what it had begun is gone on with by who has it
    assert take(claims) == numbers[1:2]
    assert take(claims) == numbers[:1]
