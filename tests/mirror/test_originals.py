import sys

import pytest

from symsrv.formats import identify_path
from symsrv.mirror.converting import notice
from symsrv.mirror.originals import fetched_to_convert, let_go
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.wants import Wish
from tests.made import zig
from tests.made.pdb_builder import build_pdb
from tests.mirror.converters.fakes import dump_syms
from tests.mirror.pulling import Pulling

THERE = UpstreamOptions(name="there", url="https://there.example/", keep_original=False)
KEEPING = UpstreamOptions(name="there", url="https://there.example/")
CONVERTER = UpstreamOptions(name="symbols", kind="convert")


@pytest.fixture
def converted(store, state, add, tmp_path):
    """A PDB that somebody wanted, and the text symbols that it became; what those are, and the PDB's home."""

    def made(*, product="there", who=("convert",), beside=()):
        path = tmp_path / "a.pdb"
        path.write_bytes(build_pdb())
        identity = identify_path(path, "a.pdb")[0]
        state.wants.file([Wish(Ask(Wants.DEBUG, identity.ids, "a.pdb"), who=one) for one in who])
        add(path, *beside, product=product)
        text = tmp_path / "a.sym"
        text.write_text(f"MODULE windows x86_64 {identity.debug_id} a.pdb\nPUBLIC 1 0 main\n")
        add(text, product="symbols")
        [sym] = identify_path(text, "a.sym")
        [file] = store.find(Ask(Wants.DEBUG, identity.ids, "a.pdb"))
        return sym, file.home

    return made


def test_what_was_fetched_only_to_be_converted_goes(store, state, converted):
    sym, home = converted()

    assert let_go(store, state, [sym], [CONVERTER, THERE]) == [home]
    assert store.look(home) is None
    assert store.find(sym.asks()[0])
    assert let_go(store, state, [sym], [CONVERTER, THERE]) == []
    assert "fetched only to be converted" in [one.comment for one in store.history()][-1]


def test_that_is_done_when_the_text_symbols_arrive(store, state, converted):
    notice(store, state, [CONVERTER, THERE])
    sym, home = converted()
    [file] = store.find(sym.asks()[0])
    state.events.add("arrived", {"home": file.home})

    notice(store, state, [CONVERTER, THERE])

    assert store.look(home) is None


@pytest.mark.parametrize(
    ("upstream", "more"),
    [
        (KEEPING, {}),
        (THERE, {"product": "our own build"}),
        (THERE, {"who": ("convert", "serve")}),
        (THERE, {"who": ("dump:crash.dmp",)}),
        (THERE, {"who": ()}),
    ],
    ids=["kept", "published", "wanted by a client too", "wanted by a dump", "wanted by nobody"],
)
def test_what_anybody_else_has_to_do_with_stays(store, state, converted, upstream, more):
    sym, home = converted(**more)

    assert let_go(store, state, [sym], [CONVERTER, upstream]) == []
    assert store.look(home) is not None


def test_what_came_together_with_other_files_stays(store, state, converted, tmp_path):
    other = tmp_path / "b.sym"
    other.write_text("MODULE windows x86 3249D99D0C4049318610F4E4FB0B69361 b.pdb\nPUBLIC 1 0 main\n")
    sym, home = converted(beside=(other,))

    assert let_go(store, state, [sym], [CONVERTER, THERE]) == []
    assert store.look(home) is not None


def test_what_is_held_twice_goes_only_if_both_may(store, state, converted, add, tmp_path):
    sym, home = converted()
    again = tmp_path / "again"
    again.write_bytes(build_pdb())
    add((again, "a.pdb"), product="our own build")

    assert let_go(store, state, [sym], [CONVERTER, THERE]) == []
    assert store.look(home) is not None


def test_a_debug_file_that_arrives_is_no_reason(store, state, converted):
    _, home = converted()

    assert let_go(store, state, store.index.at(home).identities, [CONVERTER, THERE]) == []


def test_wanted_only_to_be_converted():
    assert fetched_to_convert(("convert",))
    assert not fetched_to_convert(())
    assert not fetched_to_convert(("convert", "serve"))


@pytest.fixture
def pulling(tmp_path):
    one = Pulling.at(tmp_path / "pulling")
    yield one
    one.close()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
@pytest.mark.parametrize("keep", [True, False])
def test_text_symbols_are_pulled_by_way_of_a_pdb_that_is_kept_or_not(pulling, tmp_path, keep):
    pair = zig.linked("x86_64")
    identity = identify_path(pair.debug, "made.pdb")[0]
    there = pulling.site(keep_original=keep)
    key = f"made.pdb/{identity.debug_id}/made.pdb"
    there.files[key] = pair.debug.read_bytes()
    tool = dump_syms(tmp_path / "dump_syms")
    pulling.upstreams.append(UpstreamOptions(name="symbols", kind="convert", url=str(tool), order=1))
    sym = key.replace("made.pdb", "made.sym").replace("made.sym/", "made.pdb/", 1)

    done = pulling.once(only=pulling.wish(sym))

    assert [one.status for one in pulling.done if one.here] == ["stored", "stored"]
    assert done["made.pdb"].upstream in ("there", "symbols")
    assert pulling.here([sym, key]) == [True, keep]
    [made] = [one for one in pulling.store.documents() if one.product == "symbols"]
    assert made.comment == "made by dump_syms 9.9.9"
    attempts = [one for one in pulling.state.attempts.list(upstream="symbols") if one.stage == "converting"]
    assert [(one.outcome, one.tool) for one in attempts] == [("ok", "dump_syms 9.9.9"), ("absent", None)]
