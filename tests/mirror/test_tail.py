"""An upstream that is followed: what is wished, how far it was read, and what becomes of what it deletes."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from symsrv.ingest import Source
from symsrv.ingest import publish as ingest
from symsrv.ledger.state import open_state
from symsrv.mirror import open_upstream
from symsrv.mirror.filters import Filter
from symsrv.mirror.settings import Pattern, TailOptions, UpstreamOptions
from symsrv.mirror.tail import follow, is_due, mark_name, reading, restart
from symsrv.model.records import digits
from symsrv.model.wants import WantState
from symsrv.store import open_store
from tests.made.pdb_builder import GUID, build_pdb
from tests.mirror.hosts import plain_host
from tests.serve.site import live, publish


def pdb(name, number):
    """A PDB of that name with an id of its own."""
    return name, build_pdb(page_size=512).replace(GUID, number.to_bytes(16, "little"))


def key(name, number):
    guid = number.to_bytes(4, "little")[::-1].hex().upper()
    return f"{name}/{guid}{'0' * 24}1/{name}"


def names(state, **said):
    return sorted(want.ask.name for want in state.wants.list(limit=10_000, **said))


@pytest.fixture
def theirs(tmp_path):
    store = open_store(str(tmp_path / "theirs"), create=True, state=tmp_path / "their-state")
    yield store
    store.close()


@pytest.fixture
def ours(tmp_path):
    store = open_store(str(tmp_path / "ours"), create=True, state=tmp_path / "our-state")
    yield store
    store.close()


@pytest.fixture
def state(tmp_path):
    one = open_state(f"sqlite:///{tmp_path}/state.sqlite")
    yield one
    one.close()


@pytest.fixture
def passing(state, ours):
    """Makes a pass over an upstream."""

    def run(url, *, reads=10_000, stop=lambda: False, limit=None, block=(), listed=(), **tail):
        options = UpstreamOptions(name="up", url=url, tries=1, tail=TailOptions(**tail), size_limit=limit, block=block)
        upstream = open_upstream(reading(options))
        try:
            asked = Filter(upstream.options, block=listed)
            return follow(upstream, state, store=ours, asked=asked, reads=reads, stop=stop)
        finally:
            upstream.close()

    return run


@pytest.fixture
def host(theirs):
    """The upstream as symsrv serves it."""
    with live(theirs) as (address, _):
        yield f"http://127.0.0.1:{address[1]}"


@pytest.fixture
def admin(tmp_path):
    """The `000Admin` of a store that another tool writes and a plain web server shows."""
    folder = tmp_path / "plain" / "000Admin"
    folder.mkdir(parents=True)
    return folder


def listed(admin, number, *keys, last=None):
    """Writes the list of a transaction, and the last number."""
    lines = [f'"{one.rpartition("/")[0]}","x"\r\n'.replace("/", "\\") for one in keys]
    (admin / digits(number)).write_text("".join(lines))
    (admin / "lastid.txt").write_text(digits(last or number))


@pytest.mark.parametrize("way", ["http", "folder"])
def test_every_file_of_an_upstream_is_wished_once(theirs, host, state, passing, tmp_path, way):
    url = host if way == "http" else theirs.url
    publish(theirs, tmp_path / "build", pdb("a.pdb", 1), pdb("b.pdb", 2))
    publish(theirs, tmp_path / "build", pdb("c.pdb", 3))

    first = passing(url)
    again = passing(url)
    publish(theirs, tmp_path / "build", pdb("d.pdb", 4))
    third = passing(url)

    assert (first.transactions, first.wished, first.complete, first.reason) == (2, 3, True, None)
    assert (again.transactions, again.wished, again.complete) == (0, 0, True)
    assert (third.transactions, third.wished, third.number, third.last) == (1, 1, 3, 3)
    assert names(state) == ["a.pdb", "b.pdb", "c.pdb", "d.pdb"]
    assert {(want.who, want.count) for want in state.wants.list()} == {(("tail:up",), 1)}
    assert json.loads(json.dumps(first.to_record()))["wished"] == 3


def test_what_is_here_is_not_wished(theirs, ours, host, state, passing, tmp_path):
    publish(theirs, tmp_path / "build", pdb("a.pdb", 1), pdb("b.pdb", 2))
    publish(ours, tmp_path / "build", pdb("a.pdb", 1))

    done = passing(host)

    assert (done.present, done.wished, names(state)) == (1, 1, ["b.pdb"])


def test_names_products_and_versions_are_filtered(theirs, state, passing, tmp_path):
    publish(theirs, tmp_path / "build", pdb("a.pdb", 1), pdb("b.pdb", 2))

    assert passing(theirs.url, products=("other*",)).skipped == {"other-product": 1}
    restart(state, "up")
    assert passing(theirs.url, versions=("2.*",)).skipped == {"other-version": 1}
    restart(state, "up")
    done = passing(theirs.url, names=("A*.PDB",), products=("APP",), versions=("1.*",))

    assert (done.wished, done.skipped, names(state)) == (1, {"other-name": 1}, ["a.pdb"])


def test_where_no_product_is_told_none_is_meant(theirs, host, state, passing, tmp_path):
    publish(theirs, tmp_path / "build", pdb("a.pdb", 1))

    assert passing(host, products=("*",)).skipped == {"other-product": 1}
    assert names(state) == []


def test_what_is_on_a_list_is_not_wished(theirs, state, passing, tmp_path):
    publish(theirs, tmp_path / "build", pdb("a.pdb", 1), pdb("b.pdb", 2), pdb("c.pdb", 3))

    done = passing(theirs.url, block=(Pattern(name="a.pdb"),), listed=[("b.*", "too big")])

    assert (done.skipped, names(state)) == ({"blocked": 2}, ["c.pdb"])


def test_a_pass_that_is_cut_off_is_gone_on_with(theirs, state, passing, tmp_path):
    for number in range(1, 9):
        publish(theirs, tmp_path / "build", pdb(f"f{number}.pdb", number))
    with plain_host(tmp_path / "theirs") as plain:
        first = passing(plain.url, reads=7)  # the last number, two files of lines, four lists
        half = list(plain.asked)
        second = passing(plain.url)

    assert (first.wished, first.number, first.complete) == (4, 4, False)
    assert (second.wished, second.number, second.complete) == (4, 8, True)
    lists = [path for path in plain.asked if path.rpartition("/")[2].isdecimal()]
    assert len(half) == 7
    assert lists == [f"/000Admin/{digits(number)}" for number in range(1, 9)]
    assert {want.count for want in state.wants.list()} == {1}


def test_a_large_list_is_gone_on_with_where_it_was_left(admin, state, passing):
    keys = [key(f"f{number:04}.pdb", number) for number in range(1, 1201)]
    listed(admin, 1, *keys)
    counted = iter([False, True])

    first = passing(str(admin.parent), stop=lambda: next(counted))
    second = passing(str(admin.parent))

    assert (first.wished, first.complete, first.number) == (500, False, 0)
    assert (second.wished, second.complete, second.number) == (700, True, 1)
    assert {want.count for want in state.wants.list(limit=10_000)} == {1}


def test_a_process_that_dies_between_two_writes_wishes_nothing_twice(admin, state, passing, monkeypatch):
    listed(admin, 1, *(key(f"f{number:04}.pdb", number) for number in range(1, 601)))
    put, calls = state.marks.put, []

    def dies(name, value):
        calls.append(value)
        if len(calls) == 2:
            raise KeyboardInterrupt
        put(name, value)

    monkeypatch.setattr(state.marks, "put", dies)
    with pytest.raises(KeyboardInterrupt):
        passing(str(admin.parent))
    monkeypatch.undo()
    half = len(names(state))
    done = passing(str(admin.parent))

    assert (half, done.wished, len(names(state))) == (500, 100, 600)
    assert {want.count for want in state.wants.list(limit=10_000)} == {1}


def test_a_last_number_that_is_a_lie_costs_a_bounded_number_of_requests(admin, state, passing):
    listed(admin, 1, key("a.pdb", 1), last=9_999_999_999)
    listed(admin, 40, key("b.pdb", 2), last=9_999_999_999)

    with plain_host(admin.parent) as plain:
        first = passing(plain.url)
        once = len(plain.asked)
        second = passing(plain.url)

    assert names(state) == ["a.pdb", "b.pdb"]
    assert not first.complete
    assert once < 400
    assert len(plain.asked) < 2 * once + 100
    assert second.wished == 0


def test_a_list_that_is_too_big_is_passed_over(admin, state, passing):
    listed(admin, 1, *[key("a.pdb", 1)] * 2000)
    listed(admin, 2, key("b.pdb", 2))

    done = passing(str(admin.parent), limit=4096)

    assert (done.skipped, done.number, names(state)) == ({"too-big": 1}, 2, ["b.pdb"])


def test_names_that_lead_elsewhere_are_never_wished(admin, state, passing):
    listed(admin, 1, "../../../etc/passwd/passwd", "con.pdb/5AB380779000/con.pdb", key("a.pdb", 1))
    with (admin / digits(1)).open("a") as stream:
        stream.write('"..\\..\\x\\5AB380779000","x"\r\n"a\x01b.pdb\\5AB380779000",""\r\n')

    done = passing(str(admin.parent))

    assert names(state) == ["a.pdb"]
    assert set(done.skipped) == {"bad-key"}


def test_a_list_that_was_not_there_yet_is_not_passed_over_for_good(admin, state, passing):
    listed(admin, 1, key("a.pdb", 1), last=2)

    assert passing(str(admin.parent)).wished == 1
    assert passing(str(admin.parent)).wished == 0
    listed(admin, 2, key("b.pdb", 2))
    assert passing(str(admin.parent)).wished == 1
    listed(admin, 4, key("d.pdb", 4))  # and a slower writer's list comes after a faster one's
    assert passing(str(admin.parent)).wished == 1
    listed(admin, 3, key("c.pdb", 3), last=4)
    assert passing(str(admin.parent)).wished == 1

    assert names(state) == ["a.pdb", "b.pdb", "c.pdb", "d.pdb"]


@pytest.mark.parametrize(
    ("said", "reason"), [(None, "no-transactions"), ("hello", "no-transactions"), ("0000000001", "went-back")]
)
def test_an_upstream_that_cannot_be_followed_says_why(admin, passing, said, reason):
    listed(admin, 3, key("a.pdb", 1))
    with plain_host(admin.parent) as plain:
        passing(plain.url)
        (admin / "lastid.txt").unlink()
        if said:
            (admin / "lastid.txt").write_text(said)

        done = passing(plain.url)

    assert (done.reason, done.complete, done.wished) == (reason, False, 0)


def test_an_upstream_that_is_away_is_gone_on_with_later(admin, state, passing):
    listed(admin, 1, key("a.pdb", 1))
    listed(admin, 2, key("b.pdb", 2))
    away = [True]
    with plain_host(admin.parent, lambda path: 503 if away and path.endswith("2") else None) as plain:
        first = passing(plain.url)
        away.clear()
        second = passing(plain.url)

    assert (first.reason, first.number, second.reason, second.number) == ("busy", 1, None, 2)
    assert names(state) == ["a.pdb", "b.pdb"]


def test_a_mark_that_nobody_can_read_begins_anew(admin, state, passing):
    listed(admin, 1, key("a.pdb", 1))
    state.marks.put(mark_name("up"), "{")

    assert passing(str(admin.parent)).wished == 1


def test_of_two_processes_one_makes_the_pass(state):
    options = UpstreamOptions(name="up", url="/srv/up", tail=TailOptions(every=60))

    assert is_due(state, options, now=1000)
    assert not is_due(state, options, now=1001)
    assert not is_due(state, options, now=1059)
    assert is_due(state, options, now=1060)
    assert is_due(state, options, now=500)  # a clock that was put back does not stop it for good
    assert not is_due(state, UpstreamOptions(name="other", url="/srv/up"), now=1000)
    assert not is_due(state, options.model_copy(update={"enabled": False}), now=5000)


class Puller:
    """Publishes what is wanted as the puller does: what came together is one transaction."""

    def __init__(self, ours, state, url, theirs, folder):
        self.ours, self.state, self.url, self.theirs, self.folder = ours, state, url, theirs, folder

    def pull(self):
        wants = self.state.wants.list(limit=10_000)
        found = [self.theirs.find(want.ask) for want in wants]
        sources = [
            Source(Path(self.theirs.url, one.home), "", name=one.home.split("/")[0], origin=f"{self.url}/{one.home}")
            for files in found
            for one in files[:1]
        ]
        copies = [replace(one, path=Path(shutil.copy(one.path, self.folder))) for one in sources]
        ingest(self.ours, copies, product="up")
        self.state.wants.forget(states=list(WantState))

    def here(self):
        return sorted(file.home.split("/")[0] for file in self.ours.search(".pdb", limit=100))


@pytest.fixture
def pulling(ours, theirs, state, tmp_path):
    def make(url):
        folder = tmp_path / "pulled"
        folder.mkdir(exist_ok=True)
        return Puller(ours, state, url, theirs, folder)

    return make


@pytest.mark.parametrize("way", ["http", "folder", "plain"])
@pytest.mark.parametrize("policy", ["keep", "delete"])
def test_what_is_deleted_there(theirs, host, state, passing, pulling, tmp_path, way, policy):
    publish(theirs, tmp_path / "build", pdb("a.pdb", 1), pdb("b.pdb", 2))
    publish(theirs, tmp_path / "build", pdb("b.pdb", 2), pdb("c.pdb", 3))
    publish(theirs, tmp_path / "build", pdb("d.pdb", 4))
    with plain_host(Path(theirs.url)) as plain:
        url = {"http": host, "folder": theirs.url, "plain": plain.url}[way]
        passing(url, deletions=policy)
        puller = pulling(url)
        puller.pull()
        theirs.delete([1])
        done = passing(url, deletions=policy)
        again = passing(url, deletions=policy)

        assert (done.complete, again.complete, again.deleted) == (True, True, [])
        if policy == "keep":
            assert (done.deleted, puller.here()) == ([], ["a.pdb", "b.pdb", "c.pdb", "d.pdb"])
            return
        assert (len(done.deleted), puller.here()) == (1, ["b.pdb", "c.pdb", "d.pdb"])
        theirs.delete([2])
        passing(url, deletions=policy)
        assert puller.here() == ["d.pdb"]
        assert names(state) == []


def test_a_web_server_that_hides_its_lists_deletes_nothing(admin, ours, state, passing, tmp_path):
    listed(admin, 1, key("a.pdb", 1))
    listed(admin, 2, key("b.pdb", 2))
    hidden = []
    with plain_host(admin.parent, lambda path: 404 if hidden and path[-1].isdecimal() else None) as plain:
        passing(plain.url, deletions="delete")
        name, data = pdb("a.pdb", 1)
        (tmp_path / name).write_bytes(data)
        ingest(ours, [Source(tmp_path / name, "", name=name, origin=f"{plain.url}/{key('a.pdb', 1)}", sha256="0" * 64)])
        hidden.append(True)
        (admin / "lastid.txt").write_text(digits(3))
        done = passing(plain.url, deletions="delete")

    assert (done.deleted, done.reason) == ([], None)
    assert state.followed.numbers("up") == [1, 2]


def test_looking_again_for_what_was_deleted_is_bounded_and_gone_on_with(admin, state, passing):
    for number in range(1, 9):
        listed(admin, number, key(f"f{number}.pdb", number))
    with plain_host(admin.parent) as plain:
        passing(plain.url, deletions="delete")
        (admin / digits(1)).write_bytes(b"")  # as symsrv shows what was deleted
        listed(admin, 9)
        first = passing(plain.url, deletions="delete", reads=8)
        second = passing(plain.url, deletions="delete", reads=8)

    assert (first.complete, second.complete) == (False, True)
    assert state.followed.numbers("up") == list(range(2, 9))
