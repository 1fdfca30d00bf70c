"""Gates: each one shuts by itself, says why and until when, and changes nothing by being looked at."""

from datetime import UTC, datetime, timedelta

import pytest

from symsrv.ledger.state import open_state
from symsrv.mirror.gates import Gates, host_of
from symsrv.mirror.outcomes import End
from symsrv.mirror.settings import MirrorOptions, UpstreamOptions

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
OPTIONS = UpstreamOptions(name="there", url="https://user@there:8443/symbols")


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    yield one
    one.close()


@pytest.fixture
def gates(state, tmp_path):
    def make(room=True, **options):
        return Gates(state, MirrorOptions(**options), tmp_path, room=lambda _folder, _free: room)

    return make


def reason(outcome):
    return outcome and outcome.reason


def test_nothing_keeps_anybody_from_being_asked(gates):
    assert gates().refuse(OPTIONS, NOW) is None


@pytest.mark.parametrize("whose", ["mirror", "upstream"])
def test_outside_of_the_hours_nobody_is_asked(gates, whose):
    local = NOW.astimezone()
    window = f"{local + timedelta(hours=1):%H:%M}-{local + timedelta(hours=2):%H:%M}"
    its = OPTIONS if whose == "mirror" else OPTIONS.model_copy(update={"window": window})

    found = gates(window=window if whose == "mirror" else None).shut(its, NOW)

    assert (found.reason, found.end, found.until) == ("window", End.LATER, NOW + timedelta(hours=1))
    assert window in found.sentence


@pytest.mark.parametrize("whose", ["mirror", "upstream"])
def test_a_days_budget_is_everybodys(gates, state, whose):
    limit = 1000
    its = OPTIONS.model_copy(update={"daily_limit": limit if whose == "upstream" else None})
    one = gates(daily_limit=limit if whose == "mirror" else None)
    one.count("there", 600)
    assert one.shut(its, NOW) is None

    state.spending.add("there" if whose == "upstream" else "elsewhere", 400)  # another process
    one.flush()

    assert reason(one.shut(its, NOW)) == "budget"
    assert one.shut(its, NOW).until == datetime(2026, 3, 11, tzinfo=UTC)
    assert state.spending.today()["there"] >= 600
    other = OPTIONS.model_copy(update={"name": "other", "daily_limit": its.daily_limit})
    assert reason(one.shut(other, NOW)) == ("budget" if whose == "mirror" else None)


def test_a_full_disk_stops_everything(gates):
    found = gates(room=False, keep_free="1GiB").shut(OPTIONS, NOW)

    assert (found.reason, found.until) == ("low-disk", NOW + timedelta(minutes=1))


def test_a_host_that_fails_is_left_alone_by_all(gates, state):
    one, other = gates(), gates()
    for _ in range(5):
        one.failed(OPTIONS, "connect-timeout")
    other.flush()

    found = one.refuse(OPTIONS, datetime.now(UTC))

    assert (found.reason, reason(other.refuse(OPTIONS, NOW))) == ("breaker", "breaker")
    assert "there:8443" in found.sentence
    assert found.until > datetime.now(UTC)
    assert reason(one.foresee(OPTIONS, datetime.now(UTC))) == "breaker"
    assert one.shut(OPTIONS, NOW) is None
    assert reason(one.refuse(UpstreamOptions(name="b", url="https://elsewhere"), NOW)) is None


@pytest.mark.parametrize("word", ["unauthorized", "proxy-credentials", "proxy"])
def test_wrong_credentials_leave_alone_only_the_upstream_that_has_them(gates, state, word):
    one, beside = gates(), OPTIONS.model_copy(update={"name": "beside"})
    for _ in range(5):
        one.failed(OPTIONS, word)

    found = one.refuse(OPTIONS, NOW)

    assert (found.reason, reason(one.refuse(beside, NOW))) == ("breaker", None)
    assert "there@there:8443" in found.sentence
    assert reason(one.foresee(OPTIONS, datetime.now(UTC))) == "breaker"
    one.answered(OPTIONS)
    assert state.breakers.list() == []


def test_an_answer_makes_up_for_failures_that_others_had(gates, state):
    gates().failed(OPTIONS, "server-error")
    one = gates()
    one.flush()

    one.answered(OPTIONS)

    assert state.breakers.list() == []


def test_an_answer_of_a_host_without_failures_writes_nothing(gates, state, monkeypatch):
    monkeypatch.setattr(state.breakers, "ok", lambda _host: pytest.fail("written"))

    gates().answered(OPTIONS)


def test_reload_takes_other_limits(gates):
    one = gates()
    one.count("there", 10)
    one.reload(MirrorOptions(daily_limit=10))

    assert reason(one.shut(OPTIONS, NOW)) == "budget"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://me@a.example:444/x", "a.example:444"),
        ("s3://bucket/prefix", "bucket"),
        ("/srv/symbols", "/srv/symbols"),
        ("", "its name"),
    ],
)
def test_what_has_no_host_stands_for_itself(url, host):
    assert host_of(UpstreamOptions(name="its name", url=url, kind="folder")) == host
