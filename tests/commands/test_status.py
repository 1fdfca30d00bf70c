"""How fetching goes, in numbers."""

from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import debug_id
from symsrv.model.wants import Wish

ASK = Ask(Wants.DEBUG, (debug_id("3249d99d0c4049318610f4e4fb0b6936", 1),), "xul.pdb")


def test_the_queue_and_each_upstream_are_told(run, state):
    run("upstream", "add", "mozilla", "--no-test")
    run("upstream", "add", "ours", "https://ours.example:8443/", "--no-test", "--disabled")
    state.wants.file([Wish(ASK)])
    state.spending.add("mozilla", 3 << 20)
    for _ in range(5):
        state.breakers.failed("ours.example:8443", "unreachable")

    queue, mozilla, ours = run("status", "--json").lines

    assert (queue["open"], queue["answered"], queue["bytes_today"]) == (1, 0, 3 << 20)
    assert (mozilla["breaker"], mozilla["bytes_today"]) == ("closed", 3 << 20)
    assert (ours["breaker"], ours["breaker_reason"], ours["enabled"]) == ("open", "unreachable", False)
    assert ours["breaker_until"]


def test_for_people_it_fits_on_a_screen(run, state):
    run("upstream", "add", "mozilla", "--no-test")

    done = run("status")

    assert done.out.startswith("wants: 0 open")
    assert "today: 0 B fetched" in done.out
    assert "mozilla   on" in done.out


def test_without_upstreams_there_is_a_queue(run, stored):
    assert run("status").code == 0
