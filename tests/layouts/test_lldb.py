import pytest

from symsrv.layouts.lldb import Lldb
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import build_id, uuid_id

UUID = uuid_id(bytes.fromhex("67e9247c814e392ba027dbde6748fcbf"))
TREE = "67E9/247C/814E/392B/A027/DBDE6748FCBF"


@pytest.mark.parametrize(
    ("path", "wants"), [(TREE, Wants.DEBUG), (f"{TREE}.app", Wants.CODE), (f"{TREE}.APP", Wants.CODE)]
)
@pytest.mark.parametrize("spell", [str, str.lower])
def test_reads(path: str, wants: Wants, spell):
    assert Lldb().parse(spell(path)) == Ask(wants, (UUID,))


@pytest.mark.parametrize(
    "path", ["", ".app", TREE[:-1], f"{TREE}0", f"{TREE}/", f"/{TREE}", f"{TREE}.src.zip", TREE.replace("A", "G")]
)
def test_refuses(path: str):
    assert Lldb().parse(path) is None


def test_prints():
    assert Lldb().paths(Ask(Wants.EITHER, (UUID,), "crash")) == (f"{TREE}.app", TREE)
    assert Lldb().paths(Ask(Wants.DEBUG, (UUID,))) == (TREE,)


def test_has_no_path_for_what_it_does_not_carry():
    assert Lldb().paths(Ask(Wants.SYM, (UUID,))) == ()
    assert Lldb().paths(Ask(Wants.DEBUG, (UUID,), packed=True)) == ()
    assert Lldb().paths(Ask(Wants.DEBUG, (build_id(b"a" * 16),))) == ()
