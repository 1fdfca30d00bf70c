import pytest

from symsrv.formats import identify_path
from symsrv.ledger.state import Arrival, Rest
from symsrv.mirror.converting import converts, notice
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import DEBUG, UUID, SymbolId
from symsrv.model.wants import WantState, Wish, want_key
from tests.made.elf_builder import DEBUG as DEBUG_SECTION
from tests.made.elf_builder import TEXT, build_elf, note
from tests.made.macho_builder import UUID as UUID_BYTES
from tests.made.macho_builder import build_macho
from tests.made.pdb_builder import build_pdb
from tests.made.pe_builder import Entry, build_pe, rsds

ASKED = [UpstreamOptions(name="symbols", kind="convert")]
UNASKED = [UpstreamOptions(name="symbols", kind="convert", on_arrival=True)]
OTHERS = [UpstreamOptions(name="elsewhere", url="https://symbols.example/")]


@pytest.fixture
def arrive(store, state, add, tmp_path):
    """Publishes a file, and tells the state that it arrived; what it is."""

    def arrived(name, data):
        path = tmp_path / "arriving"
        path.write_bytes(data)
        receipt = add((path, name))
        [result] = receipt.results
        file = store.index.at(result.key)
        state.arrive([Arrival(file.home, file.identities, receipt.transaction)])
        return file.identities[0]

    return arrived


@pytest.fixture
def identified(tmp_path):
    """What a file is."""

    def identify(name, data):
        path = tmp_path / "identified"
        path.write_bytes(data)
        return identify_path(path, name)[0]

    return identify


def resting(state, ask, *, skipped=False):
    """Text symbols that no upstream had, and that rest for a long time, or for good."""
    [number] = state.wants.file([Wish(ask, who="serve")])
    assert state.wants.claim("me", 1, lease_seconds=60, only=[number])
    state.wants.rest(number, "me", reason="nothing-to-convert", due=None, rounds=3)
    for name in ("symbols", "elsewhere"):
        state.rests.put([Rest(name, want_key(ask), None, "absent", skip=skipped)])
    return number


def state_of(state, number):
    return state.wants.get(number).state


def sym(identity, name):
    ids = [one for one in (*identity.ids, *identity.also) if one.kind == DEBUG]
    return Ask(Wants.SYM, tuple(ids), name)


def begun(store, state, upstreams):
    assert notice(store, state, upstreams) == []
    return upstreams


def test_only_converters_that_are_switched_on_convert():
    off = UpstreamOptions(name="off", kind="convert", enabled=False)

    assert converts([*OTHERS, off, *ASKED]) == ASKED


@pytest.mark.parametrize("skipped", [False, True])
def test_text_symbols_wake_when_their_debug_file_arrives(store, state, arrive, identified, skipped):
    begun(store, state, ASKED)
    ask = sym(identified("a.pdb", build_pdb()), "a.pdb")
    number = resting(state, ask, skipped=skipped)
    other = resting(state, Ask(Wants.SYM, (SymbolId(DEBUG, "f" * 32 + "1"),), "b.pdb"))

    arrive("a.pdb", build_pdb())

    assert len(notice(store, state, ASKED)) == 1
    assert (state_of(state, number), state_of(state, other)) == (WantState.OPEN, WantState.GIVEN_UP)
    assert [one.upstream for one in state.rests.of(want_key(ask))] == ["elsewhere"]
    assert notice(store, state, ASKED) == []


def test_they_wake_whatever_the_debug_file_is_called(store, state, arrive, identified):
    begun(store, state, ASKED)
    data = build_elf((DEBUG_SECTION,), notes=note(bytes(range(20))))
    number = resting(state, sym(identified("x.debug", data), "liba.so"))

    arrive("x.debug", data)

    assert len(notice(store, state, ASKED)) == 1
    assert state_of(state, number) is WantState.OPEN


def test_they_wake_by_a_uuid_too(store, state, arrive):
    begun(store, state, ASKED)
    number = resting(state, Ask(Wants.SYM, (SymbolId(DEBUG, UUID_BYTES.hex() + "0"),), "a"))

    assert arrive("a", build_macho(file_type=10)).ids == (SymbolId(UUID, UUID_BYTES.hex()),)

    assert len(notice(store, state, ASKED)) == 1
    assert state_of(state, number) is WantState.OPEN


def test_text_symbols_that_are_worked_on_when_the_file_arrives_are_looked_at_again(store, state, arrive, identified):
    begun(store, state, ASKED)
    ask = sym(identified("a.pdb", build_pdb()), "a.pdb")
    [number] = state.wants.file([Wish(ask)])
    assert state.wants.claim("me", 1, lease_seconds=60)
    arrive("a.pdb", build_pdb())

    assert [notice(store, state, ASKED), notice(store, state, ASKED)] == [[], []]
    # The one who worked on it looked before the file was there.
    state.wants.rest(number, "me", reason="nothing-to-convert", due=None, rounds=1)

    assert len(notice(store, state, ASKED)) == 1
    assert state_of(state, number) is WantState.OPEN
    assert notice(store, state, ASKED) == []


def test_text_symbols_are_wished_for_when_a_debug_file_arrives(store, state, arrive):
    begun(store, state, UNASKED)

    identity = arrive("a.pdb", build_pdb())

    assert len(notice(store, state, UNASKED)) == 1
    [want] = state.wants.list()
    assert (want.ask, want.who) == (sym(identity, "a.pdb"), ("convert",))
    assert notice(store, state, UNASKED) == []


def test_nobody_wishes_unless_told_to(store, state, arrive):
    begun(store, state, ASKED)
    arrive("a.pdb", build_pdb())

    assert notice(store, state, ASKED) == []
    assert state.wants.list() == []


def test_text_symbols_that_are_here_are_not_wished_for(store, state, arrive, identified):
    begun(store, state, UNASKED)
    identity = identified("a.pdb", build_pdb())
    arrive("a.sym", f"MODULE windows x86_64 {identity.debug_id} a.pdb\nPUBLIC 1 0 main\n".encode())
    arrive("a.pdb", build_pdb())

    assert notice(store, state, UNASKED) == []


def test_an_elf_debug_file_waits_for_the_name_of_its_program(store, state, arrive):
    begun(store, state, UNASKED)
    notes = note(bytes(range(20)))
    arrive("00010203.debug", build_elf((DEBUG_SECTION,), notes=notes))
    assert notice(store, state, UNASKED) == []

    arrive("liba.so", build_elf((TEXT,), notes=notes))

    assert len(notice(store, state, UNASKED)) == 1
    assert state.wants.list()[0].ask.name == "liba.so"


def test_a_pair_is_wished_for_once(store, state, arrive):
    begun(store, state, UNASKED)
    arrive("a.pdb", build_pdb())
    arrive("a.exe", build_pe([Entry(rsds(b"a.pdb"))]))

    assert len(notice(store, state, UNASKED)) == 1
    assert len(state.wants.list()) == 1


def test_what_came_before_there_was_a_converter_is_left_alone(store, state, arrive):
    arrive("a.pdb", build_pdb())

    assert notice(store, state, OTHERS) == []
    assert notice(store, state, UNASKED) == []
    assert notice(store, state, UNASKED) == []
    assert state.wants.list() == []


def test_many_arrivals_are_read_to_their_end(store, state, arrive, identified):
    begun(store, state, ASKED)
    for _ in range(150):
        state.events.add("arrived", {"home": "gone/1/gone"})
    number = resting(state, sym(identified("a.pdb", build_pdb()), "a.pdb"))
    arrive("a.pdb", build_pdb())

    assert len(notice(store, state, ASKED)) == 1
    assert state_of(state, number) is WantState.OPEN


def test_what_two_do_at_once_is_done_once(store, state, arrive, monkeypatch):
    begun(store, state, UNASKED)
    arrive("a.pdb", build_pdb())
    find = type(store).find
    seen = []

    def find_while_another_is_faster(self, ask):
        if not seen:
            seen.append(1)
            assert len(notice(store, state, UNASKED)) == 1
        return find(self, ask)

    monkeypatch.setattr(type(store), "find", find_while_another_is_faster)

    assert notice(store, state, UNASKED) == []
    assert [one.count for one in state.wants.list()] == [1]
